using System.Security.Cryptography;
using Microsoft.IdentityModel.Tokens;

namespace Messaging.Api.Auth;

/// <summary>Reads public keys from PEM text: RSA of at least 2048 bits and elliptic curves over P-256.</summary>
internal static class PemKeys
{
    private const string PublicKeyLabel = "PUBLIC KEY";

    /// <summary>What is wrong with the text, for an operator; null when nothing is.</summary>
    public static string? ErrorOf(string text)
    {
        try
        {
            return Parse(text).Count == 0 ? "there is no key between '-----BEGIN PUBLIC KEY-----' and '-----END PUBLIC KEY-----'." : null;
        }
        catch (CryptographicException e)
        {
            return e.Message;
        }
    }

    /// <summary>Line ends may be written as <c>\n</c>, as many environment files need them.</summary>
    /// <exception cref="CryptographicException">A block is no public key of a kind that is supported.</exception>
    public static IReadOnlyList<SigningKey> Parse(string text)
    {
        var keys = new List<SigningKey>();
        ReadOnlySpan<char> rest = text.Replace("\\n", "\n", StringComparison.Ordinal);
        while (PemEncoding.TryFind(rest, out var fields))
        {
            if (!rest[fields.Label].SequenceEqual(PublicKeyLabel))
                throw new CryptographicException($"a block is a '{rest[fields.Label]}', expected is a 'PUBLIC KEY'.");
            keys.Add(Read(rest[fields.Location]));
            rest = rest[fields.Location.End..];
        }
        return keys;
    }

    private static SigningKey Read(ReadOnlySpan<char> block)
    {
        if (TryReadRsa(block) is { } rsa)
        {
            return rsa.Modulus!.Length >= 256
                ? new SigningKey(SecurityAlgorithms.RsaSha256, keyId: null, new RsaSecurityKey(rsa))
                : throw new CryptographicException("an RSA key has fewer than 2048 bits.");
        }
        var ec = ECDsa.Create();
        ec.ImportFromPem(block);
        return ec.KeySize == 256
            ? new SigningKey(SecurityAlgorithms.EcdsaSha256, keyId: null, new ECDsaSecurityKey(ec))
            : throw new CryptographicException("an elliptic curve key is not over P-256.");
    }

    private static RSAParameters? TryReadRsa(ReadOnlySpan<char> block)
    {
        using var rsa = RSA.Create();
        try
        {
            rsa.ImportFromPem(block);
            return rsa.ExportParameters(includePrivateParameters: false);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }
}
