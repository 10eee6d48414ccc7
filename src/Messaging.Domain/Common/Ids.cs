using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using NodaTime;

namespace Messaging.Domain.Common;

/// <summary>The host product's own id of a user: 1 to 64 of <c>[A-Za-z0-9_.:@-]</c>, compared byte by byte.</summary>
public readonly record struct UserId : IParsable<UserId>, IComparable<UserId>
{
    private static readonly SearchValues<char> Allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:@-");

    public UserId(string value) =>
        Value = IsValid(value) ? value : throw new FormatException("A user id is 1 to 64 of A-Z a-z 0-9 _ . : @ -.");

    public string Value { get; }

    /// <summary>An id for somebody whom no host product has named: a UUID v7, so that nobody's id can be had by choosing a name.</summary>
    public static UserId New(Instant now) => new(Guid.CreateVersion7(now.ToDateTimeOffset()).ToString());

    public static bool IsValid([NotNullWhen(true)] string? value) =>
        value is { Length: >= 1 and <= 64 } && !value.AsSpan().ContainsAnyExcept(Allowed);

    public static UserId Parse(string s, IFormatProvider? provider) => new(s);

    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out UserId result)
    {
        var valid = IsValid(s);
        result = valid ? new UserId(s!) : default;
        return valid;
    }

    public int CompareTo(UserId other) => string.CompareOrdinal(Value, other.Value);

    public override string ToString() => Value;

    public static bool operator <(UserId left, UserId right) => left.CompareTo(right) < 0;

    public static bool operator <=(UserId left, UserId right) => left.CompareTo(right) <= 0;

    public static bool operator >(UserId left, UserId right) => left.CompareTo(right) > 0;

    public static bool operator >=(UserId left, UserId right) => left.CompareTo(right) >= 0;
}

/// <summary>UUID v7, made by this service.</summary>
public readonly record struct ConversationId(Guid Value) : IParsable<ConversationId>
{
    public static ConversationId New(Instant now) => new(Guid.CreateVersion7(now.ToDateTimeOffset()));

    public static ConversationId Parse(string s, IFormatProvider? provider) => new(Guid.Parse(s, provider));

    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out ConversationId result)
    {
        var valid = Guid.TryParseExact(s, "D", out var value);
        result = new ConversationId(value);
        return valid;
    }

    public override string ToString() => Value.ToString();
}

/// <summary>UUID v7, made by this service; its time is within minutes of the message's.</summary>
public readonly record struct MessageId(Guid Value) : IParsable<MessageId>
{
    public static MessageId New(Instant now) => new(Guid.CreateVersion7(now.ToDateTimeOffset()));

    // An id that somebody has made up may say any time, up to the year 10889.
    private static readonly Instant Latest = Instant.FromUtc(9999, 1, 1, 0, 0);

    /// <summary>The time in the id, to the millisecond; the beginning of time for an id that is not version 7.</summary>
    public Instant Time => Value.Version == 7
        ? Instant.FromUnixTimeMilliseconds(Math.Min(Convert.ToInt64(Value.ToString("N")[..12], 16), Latest.ToUnixTimeMilliseconds()))
        : Instant.FromUnixTimeMilliseconds(0);

    public static MessageId Parse(string s, IFormatProvider? provider) => new(Guid.Parse(s, provider));

    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out MessageId result)
    {
        var valid = Guid.TryParseExact(s, "D", out var value);
        result = new MessageId(value);
        return valid;
    }

    public override string ToString() => Value.ToString();
}

/// <summary>UUID v7, made by this service.</summary>
public readonly record struct AttachmentId(Guid Value) : IParsable<AttachmentId>
{
    public static AttachmentId New(Instant now) => new(Guid.CreateVersion7(now.ToDateTimeOffset()));

    public static AttachmentId Parse(string s, IFormatProvider? provider) => new(Guid.Parse(s, provider));

    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out AttachmentId result)
    {
        var valid = Guid.TryParseExact(s, "D", out var value);
        result = new AttachmentId(value);
        return valid;
    }

    public override string ToString() => Value.ToString();
}
