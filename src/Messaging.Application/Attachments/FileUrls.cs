using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Attachments;

/// <summary>For whom an address is made.</summary>
public enum UrlAudience
{
    /// <summary>Who asks just now, by whatever name the service was reached.</summary>
    Caller,

    /// <summary>Whoever hears of an event, now or later: nobody's request decides where they are led.</summary>
    Everybody,
}

/// <summary>Where the service is reached.</summary>
public interface IServiceAddress
{
    /// <summary>Scheme and host, without a slash at the end.</summary>
    string Of(UrlAudience audience);
}

/// <summary>Signs addresses of files with the secret of their attachment, and tells whether a signature holds.</summary>
public sealed class FileUrls(IServiceAddress address, StorageSettings settings, IClock clock)
{
    /// <summary>When an address that is made now is good no more; whole seconds.</summary>
    public Instant Expiry() =>
        Instant.FromUnixTimeSeconds((clock.GetCurrentInstant() + Duration.FromTimeSpan(settings.UrlLifetime)).ToUnixTimeSeconds());

    public string Sign(AttachmentId id, Guid secret, string variant, Instant expires, UrlAudience audience)
    {
        var until = expires.ToUnixTimeSeconds();
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{address.Of(audience)}/files/{id}/{variant}?expires={until}"
                + $"&signature={Base64Url.EncodeToString(Signature(id, secret, variant, until))}");
    }

    /// <summary>Whether the address was signed here and is good still.</summary>
    public bool Holds(AttachmentId id, Guid secret, string variant, long expires, string? signature)
    {
        if (signature is null || !Base64Url.IsValid(signature) || expires <= clock.GetCurrentInstant().ToUnixTimeSeconds())
            return false;
        Span<byte> given = stackalloc byte[64];
        return Base64Url.TryDecodeFromChars(signature, given, out var length)
            && CryptographicOperations.FixedTimeEquals(given[..length], Signature(id, secret, variant, expires));
    }

    private static byte[] Signature(AttachmentId id, Guid secret, string variant, long expires) =>
        HMACSHA256.HashData(
            secret.ToByteArray(), Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id}/{variant}/{expires}")));
}
