using System.Buffers.Text;
using System.Security.Cryptography;

namespace Messaging.Application.Push;

/// <summary>A pair of keys of Web Push, each in base64url: what browsers subscribe with, and what signs.</summary>
public sealed record VapidKeys(string PublicKey, string PrivateKey)
{
    public static VapidKeys Make()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return Of(key);
    }

    /// <summary>The pair of a private key; null where the text is none.</summary>
    public static VapidKeys? TryRead(string? privateKey)
    {
        try
        {
            using var key = Open(privateKey ?? "");
            return Of(key);
        }
        catch (Exception e) when (e is FormatException or CryptographicException)
        {
            return null;
        }
    }

    /// <summary>The key itself, to sign with.</summary>
    /// <exception cref="CryptographicException">The text is no such key.</exception>
    /// <exception cref="FormatException">The text is no base64url.</exception>
    public static ECDsa Open(string privateKey)
    {
        var bytes = Base64Url.DecodeFromChars(privateKey);
        return bytes.Length == 32
            ? ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, D = bytes })
            : throw new CryptographicException("A private key has 32 bytes.");
    }

    private static VapidKeys Of(ECDsa key)
    {
        var parameters = key.ExportParameters(includePrivateParameters: true);
        return new VapidKeys(
            Base64Url.EncodeToString([4, .. parameters.Q.X!, .. parameters.Q.Y!]), Base64Url.EncodeToString(parameters.D));
    }
}
