using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Messaging.Application.Events;

/// <summary>
/// A place in the feed as clients hold it: opaque to them, everything up to <see cref="Position"/> is behind it. The epoch tells
/// whether the position still means what it meant when the cursor was given out.
/// </summary>
public readonly record struct FeedCursor(long Epoch, long Position)
{
    private const int EpochDigits = 8;

    public static bool TryParse([NotNullWhen(true)] string? text, out FeedCursor cursor)
    {
        cursor = default;
        if (text is null || text.Length is <= EpochDigits + 1 or > EpochDigits + 20 || text[EpochDigits] != '-')
            return false;
        if (!uint.TryParse(text.AsSpan(0, EpochDigits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var epoch)
            || !long.TryParse(text.AsSpan(EpochDigits + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var position))
            return false;
        cursor = new FeedCursor(epoch, position);
        return cursor.ToString() == text;
    }

    /// <summary>Reads a cursor that a client sent; refuses what is not one.</summary>
    public static FeedCursor Parse(string? text, string member) =>
        TryParse(text, out var cursor) ? cursor : throw EventErrors.MalformedCursor(member);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Epoch:x8}-{Position}");
}
