using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using NodaTime;

namespace Messaging.Domain.Webhooks;

/// <summary>
/// What the sender and the receiver of a webhook share (Standard Webhooks): <c>whsec_</c> and 24 to 64 bytes in base64. Shown by
/// <see cref="Reveal"/> alone, so that no log or exception holds it by accident.
/// </summary>
public sealed class WebhookSecret
{
    private const string Prefix = "whsec_";
    private const int MinBytes = 24;
    private const int MaxBytes = 64;

    private readonly byte[] key;

    private WebhookSecret(byte[] key) => this.key = key;

    /// <summary>A new secret of 256 random bits.</summary>
    public static WebhookSecret New() => new(RandomNumberGenerator.GetBytes(32));

    /// <summary>Takes a secret as it is written by whoever writes base64 with its padding, and in no other way.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out WebhookSecret? secret)
    {
        secret = null;
        if (text is null || !text.StartsWith(Prefix, StringComparison.Ordinal))
            return false;
        Span<byte> bytes = stackalloc byte[MaxBytes];
        if (!Convert.TryFromBase64Chars(text.AsSpan(Prefix.Length), bytes, out var length) || length < MinBytes)
            return false;
        var parsed = new WebhookSecret(bytes[..length].ToArray());
        if (parsed.Reveal() != text)
            return false;
        secret = parsed;
        return true;
    }

    /// <summary>A secret that was stored.</summary>
    public static WebhookSecret Parse(string text) =>
        TryParse(text, out var secret) ? secret : throw new FormatException("This is no secret of a webhook.");

    /// <summary>The signature of one call: <c>v1,</c> and HMAC-SHA256 over its id, its time in seconds and its body.</summary>
    public string Sign(string id, Instant timestamp, ReadOnlySpan<byte> body)
    {
        using var mac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        mac.AppendData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id}.{timestamp.ToUnixTimeSeconds()}.")));
        mac.AppendData(body);
        return $"v1,{Convert.ToBase64String(mac.GetHashAndReset())}";
    }

    /// <summary>The whole secret, for its owner and the database.</summary>
    public string Reveal() => Prefix + Convert.ToBase64String(key);

    public override string ToString() => $"{Prefix}…";
}
