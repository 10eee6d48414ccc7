using System.Security.Cryptography;
using Messaging.Domain.Common;
using Microsoft.IdentityModel.Tokens;

namespace Messaging.Api.Auth;

/// <summary>
/// The keys that the issuer publishes: kept for 12 hours, and fetched sooner when a token names one that is not among them. One fetch at a
/// time; a token whose key is known waits for none.
/// </summary>
internal sealed class JwksKeys(AuthSettings settings, TimeProvider time, ILogger<JwksKeys> logger) : IDisposable
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(12);

    private readonly HttpClient http = new() { Timeout = settings.JwksTimeout, MaxResponseContentBufferSize = 1024 * 1024 };
    private readonly Lock gate = new();
    private volatile IReadOnlyList<SigningKey>? known;
    private long knownAt;
    private long triedAt;
    private Task<bool>? fetch;

    /// <summary>The keys that may have signed such a token; none where no address is configured.</summary>
    /// <exception cref="RuleException">The key is not known and cannot be asked for: whether the token is good cannot be told.</exception>
    public async Task<IReadOnlyList<SigningKey>> FindAsync(string algorithm, string? keyId, CancellationToken ct)
    {
        if (string.IsNullOrEmpty(settings.JwksUrl))
            return [];
        if (Choose() is { Count: > 0 } found)
        {
            if (time.GetElapsedTime(Interlocked.Read(ref knownAt)) > Lifetime)
                _ = Fetch();
            return found;
        }
        var isFetched = await Fetch().WaitAsync(ct);
        return Choose() is { Count: > 0 } published ? published : isFetched ? [] : throw Unavailable();

        List<SigningKey> Choose() =>
            [.. (known ?? []).Where(key => key.Algorithm == algorithm && (keyId is null || key.KeyId is null || key.KeyId == keyId))];
    }

    public void Dispose() => http.Dispose();

    // The fetch that is under way, or the last one while it is too young for another.
    private Task<bool> Fetch()
    {
        lock (gate)
        {
            if (fetch is null || (fetch.IsCompleted && time.GetElapsedTime(triedAt) >= settings.JwksRefreshInterval))
                fetch = FetchAsync();
            return fetch;
        }
    }

    private async Task<bool> FetchAsync()
    {
        triedAt = time.GetTimestamp();
        try
        {
            var document = await http.GetStringAsync(settings.JwksUrl);
            known = [.. JsonWebKeySet.Create(document).Keys.Select(Read).OfType<SigningKey>()];
            Interlocked.Exchange(ref knownAt, time.GetTimestamp());
            return true;
        }
        // Whatever an address may answer must not end the keys that are known.
        catch (Exception e)
        {
            logger.LogWarning(e, "The keys of Messaging__Auth__JwksUrl cannot be fetched; those that are known serve on");
            return false;
        }
    }

    private static RuleException Unavailable() => new(new Problem(
        ProblemCodes.Unavailable, "The keys that tokens are signed with cannot be fetched at the moment.")
    {
        RetryAfterSeconds = 5,
    });

    // A key that is not for checking signatures, or of a kind that is not supported, is passed over; shared secrets are never published.
    private static SigningKey? Read(JsonWebKey key)
    {
        if (!string.IsNullOrEmpty(key.Use) && key.Use != "sig")
            return null;
        try
        {
            return key switch
            {
                { Kty: JsonWebAlgorithmsKeyTypes.RSA, Alg: null or "" or SecurityAlgorithms.RsaSha256 } => new SigningKey(
                    SecurityAlgorithms.RsaSha256, key.Kid,
                    new RsaSecurityKey(new RSAParameters { Modulus = Bytes(key.N), Exponent = Bytes(key.E) })),
                { Kty: JsonWebAlgorithmsKeyTypes.EllipticCurve, Crv: JsonWebKeyECTypes.P256 } => new SigningKey(
                    SecurityAlgorithms.EcdsaSha256, key.Kid, new ECDsaSecurityKey(ECDsa.Create(new ECParameters
                    {
                        Curve = ECCurve.NamedCurves.nistP256,
                        Q = new ECPoint { X = Bytes(key.X), Y = Bytes(key.Y) },
                    }))),
                _ => null,
            };
        }
        catch (Exception e) when (e is CryptographicException or FormatException or ArgumentException)
        {
            return null;
        }

        static byte[] Bytes(string text) => Base64UrlEncoder.DecodeBytes(text);
    }
}
