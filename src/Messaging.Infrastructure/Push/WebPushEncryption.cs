using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Messaging.Infrastructure.Push;

/// <summary>Encrypts a push for one browser, in one record: RFC 8291 with the aes128gcm of RFC 8188.</summary>
public static class WebPushEncryption
{
    /// <summary>What push services take at least, and so at most.</summary>
    public const int MaxLength = 4096;

    public const int MaxPlainLength = MaxLength - HeaderLength - TagLength - 1;

    private const int SaltLength = 16;
    private const int PointLength = 65;
    private const int HeaderLength = SaltLength + 4 + 1 + PointLength;
    private const int TagLength = 16;
    private const byte LastRecord = 2;

    /// <summary>What is posted to the browser's push service.</summary>
    /// <exception cref="CryptographicException">The browser's key is none.</exception>
    public static byte[] Encrypt(ReadOnlySpan<byte> plain, byte[] browserKey, byte[] secret)
    {
        using var sender = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        return Encrypt(plain, browserKey, secret, sender, RandomNumberGenerator.GetBytes(SaltLength));
    }

    /// <summary>The same with a sender's key and a salt that are given: each may be used once.</summary>
    /// <exception cref="CryptographicException">The browser's key is none.</exception>
    public static byte[] Encrypt(ReadOnlySpan<byte> plain, byte[] browserKey, byte[] secret, ECDiffieHellman sender, byte[] salt)
    {
        if (plain.Length > MaxPlainLength)
            throw new ArgumentException("It does not fit into one record.", nameof(plain));
        var point = sender.ExportParameters(includePrivateParameters: false).Q;
        byte[] senderKey = [4, .. point.X!, .. point.Y!];
        var (key, nonce) = Derive(Agree(sender, browserKey), browserKey, secret, senderKey, salt);

        var result = new byte[HeaderLength + plain.Length + 1 + TagLength];
        salt.CopyTo(result, 0);
        BinaryPrimitives.WriteInt32BigEndian(result.AsSpan(SaltLength), MaxLength);
        result[SaltLength + 4] = PointLength;
        senderKey.CopyTo(result, SaltLength + 5);
        using var cipher = new AesGcm(key, TagLength);
        cipher.Encrypt(nonce, [.. plain, LastRecord], result.AsSpan(HeaderLength, plain.Length + 1), result.AsSpan(^TagLength..));
        return result;
    }

    private static byte[] Agree(ECDiffieHellman sender, byte[] browserKey)
    {
        if (browserKey is not [4, ..] || browserKey.Length != PointLength)
            throw new CryptographicException("A browser's key is an uncompressed point.");
        using var browser = ECDiffieHellman.Create(new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP256,
            Q = new ECPoint { X = browserKey[1..33], Y = browserKey[33..] },
        });
        return sender.DeriveRawSecretAgreement(browser.PublicKey);
    }

    private static (byte[] Key, byte[] Nonce) Derive(byte[] agreed, byte[] browserKey, byte[] secret, byte[] senderKey, byte[] salt)
    {
        var material = HKDF.DeriveKey(
            HashAlgorithmName.SHA256, agreed, outputLength: 32, secret, [.. "WebPush: info\0"u8, .. browserKey, .. senderKey]);
        return (
            HKDF.DeriveKey(HashAlgorithmName.SHA256, material, outputLength: 16, salt, [.. "Content-Encoding: aes128gcm\0"u8]),
            HKDF.DeriveKey(HashAlgorithmName.SHA256, material, outputLength: 12, salt, [.. "Content-Encoding: nonce\0"u8]));
    }
}
