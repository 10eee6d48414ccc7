using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace Messaging.Domain.ServiceKeys;

/// <summary>
/// A service key as its holder sends it: <c>msk_&lt;id&gt;_&lt;secret&gt;</c>. The id is public; the secret is shown by
/// <see cref="Reveal"/> alone, so that no log or exception holds it by accident.
/// </summary>
public sealed class ServiceKey
{
    private const string Prefix = "msk_";
    private const int MinSecretLength = 32;

    private static readonly SearchValues<char> IdCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789");

    private readonly string secret;

    private ServiceKey(string id, string secret)
    {
        Id = id;
        this.secret = secret;
    }

    /// <summary>1 to 32 of <c>[a-z0-9]</c>.</summary>
    public string Id { get; }

    /// <summary>A new key with a secret of 256 random bits.</summary>
    public static ServiceKey New() => new(Random(bytes: 8), Random(bytes: 32));

    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out ServiceKey? key)
    {
        key = null;
        if (text is null || !text.StartsWith(Prefix, StringComparison.Ordinal))
            return false;
        var end = text.IndexOf('_', Prefix.Length);
        if (end < 0)
            return false;
        var id = text[Prefix.Length..end];
        if (!IsValidId(id) || text.Length - end - 1 < MinSecretLength)
            return false;
        key = new ServiceKey(id, text[(end + 1)..]);
        return true;
    }

    public static bool IsValidId(string id) => id.Length is >= 1 and <= 32 && !id.AsSpan().ContainsAnyExcept(IdCharacters);

    /// <summary>
    /// What is stored of the secret. One round of SHA-256 without salt is enough for 256 random bits: there is nothing to guess,
    /// so a slow hash would only make every request slow.
    /// </summary>
    public byte[] Hash() => SHA256.HashData(Encoding.UTF8.GetBytes(secret));

    /// <summary>Whether the secret is the one that was stored; takes as long whether or not it is.</summary>
    public bool Matches(ReadOnlySpan<byte> storedHash) => CryptographicOperations.FixedTimeEquals(Hash(), storedHash);

    /// <summary>The whole key, to be shown once.</summary>
    public string Reveal() => $"{Prefix}{Id}_{secret}";

    public override string ToString() => $"{Prefix}{Id}_…";

    private static string Random(int bytes) => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(bytes));
}
