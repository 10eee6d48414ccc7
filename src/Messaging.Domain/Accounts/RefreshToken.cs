using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Messaging.Domain.Accounts;

/// <summary>
/// A refresh token as its holder sends it: <c>mrt_</c>, then in base64url what all tokens of its family begin with, a secret of its own,
/// and a check that tells a mistyped token from a used one. It is shown by <see cref="Reveal"/> alone, so that no log or exception
/// holds it by accident.
/// </summary>
public sealed class RefreshToken
{
    private const string Prefix = "mrt_";
    private const int FamilyBytes = 16;
    private const int SecretBytes = 32;
    private const int CheckBytes = 6;
    private const int Length = FamilyBytes + SecretBytes + CheckBytes;

    private readonly byte[] bytes;

    private RefreshToken(byte[] bytes) => this.bytes = bytes;

    private ReadOnlySpan<byte> Family => bytes.AsSpan(0, FamilyBytes);

    private ReadOnlySpan<byte> Checked => bytes.AsSpan(0, FamilyBytes + SecretBytes);

    /// <summary>The first of a new family.</summary>
    public static RefreshToken New() => Of(RandomNumberGenerator.GetBytes(FamilyBytes));

    /// <summary>Another one of this token's family.</summary>
    public RefreshToken Next() => Of(Family);

    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out RefreshToken? token)
    {
        token = null;
        if (text?.Length != Prefix.Length + Base64Url.GetEncodedLength(Length) || !text.StartsWith(Prefix, StringComparison.Ordinal))
            return false;
        var read = new RefreshToken(new byte[Length]);
        if (Base64Url.DecodeFromChars(text.AsSpan(Prefix.Length), read.bytes, out _, out var written) is not OperationStatus.Done
            || written != Length
            || !read.bytes.AsSpan(FamilyBytes + SecretBytes).SequenceEqual(CheckOf(read.Checked)))
        {
            return false;
        }
        token = read;
        return true;
    }

    /// <summary>
    /// What a family is known by. One round of SHA-256 without salt is enough for what is random: there is nothing to guess.
    /// </summary>
    public byte[] FamilyHash() => SHA256.HashData(Family);

    /// <summary>What the family is known by in the access tokens of its login.</summary>
    public string Session() => Convert.ToHexStringLower(FamilyHash());

    /// <summary>What the family is known by, of whose login an access token is; null for one that is of none.</summary>
    public static byte[]? FamilyHashOf(string? session) =>
        session?.Length == 2 * SHA256.HashSizeInBytes && session.All(char.IsAsciiHexDigit) ? Convert.FromHexString(session) : null;

    /// <summary>What this one of its family is known by.</summary>
    public byte[] Hash() => SHA256.HashData(bytes);

    /// <summary>The whole token, to be given to its holder.</summary>
    public string Reveal() => Prefix + Base64Url.EncodeToString(bytes);

    public override string ToString() => $"{Prefix}…";

    private static RefreshToken Of(ReadOnlySpan<byte> family)
    {
        var token = new RefreshToken(new byte[Length]);
        family.CopyTo(token.bytes);
        RandomNumberGenerator.Fill(token.bytes.AsSpan(FamilyBytes, SecretBytes));
        CheckOf(token.Checked).CopyTo(token.bytes, FamilyBytes + SecretBytes);
        return token;
    }

    private static byte[] CheckOf(ReadOnlySpan<byte> bytes) => SHA256.HashData(bytes)[..CheckBytes];
}
