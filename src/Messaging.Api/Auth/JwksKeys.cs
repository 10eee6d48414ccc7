using System.Security.Cryptography;
using Messaging.Domain.Common;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Tokens;

namespace Messaging.Api.Auth;

/// <summary>The keys that the issuer publishes: kept for 12 hours, and fetched sooner when a token names one that is not among them.</summary>
internal sealed class JwksKeys : IDisposable
{
    private readonly ConfigurationManager<IReadOnlyList<SigningKey>>? manager;
    private readonly HttpClient http = new() { Timeout = TimeSpan.FromSeconds(5), MaxResponseContentBufferSize = 1024 * 1024 };

    public JwksKeys(AuthSettings settings)
    {
        if (string.IsNullOrEmpty(settings.JwksUrl))
            return;
        // Whether plain http is in order was decided with the configuration.
        var retriever = new HttpDocumentRetriever(http) { RequireHttps = false };
        manager = new(settings.JwksUrl, new Retriever(), retriever)
        {
            RefreshInterval = settings.JwksRefreshInterval,
            AutomaticRefreshInterval = TimeSpan.FromHours(12),
        };
    }

    /// <summary>The keys that may have signed such a token; none where no address is configured.</summary>
    /// <exception cref="RuleException">The keys were never fetched and cannot be now: whether the token is good cannot be told.</exception>
    public async Task<IReadOnlyList<SigningKey>> FindAsync(string algorithm, string? keyId, CancellationToken ct)
    {
        if (manager is null)
            return [];
        var found = Choose(await FetchedAsync(ct));
        if (found.Count > 0)
            return found;
        manager.RequestRefresh();
        return Choose(await FetchedAsync(ct));

        List<SigningKey> Choose(IReadOnlyList<SigningKey> keys) =>
            [.. keys.Where(key => key.Algorithm == algorithm && (keyId is null || key.KeyId is null || key.KeyId == keyId))];
    }

    public void Dispose() => http.Dispose();

    private async Task<IReadOnlyList<SigningKey>> FetchedAsync(CancellationToken ct)
    {
        try
        {
            return await manager!.GetConfigurationAsync(ct);
        }
        catch (Exception e) when (e is InvalidOperationException or IOException or HttpRequestException)
        {
            throw new RuleException(new Problem(ProblemCodes.Unavailable, "The keys that tokens are signed with cannot be fetched at the moment.")
            {
                RetryAfterSeconds = 5,
            });
        }
    }

    private sealed class Retriever : IConfigurationRetriever<IReadOnlyList<SigningKey>>
    {
        public async Task<IReadOnlyList<SigningKey>> GetConfigurationAsync(string address, IDocumentRetriever retriever, CancellationToken cancel) =>
            [.. JsonWebKeySet.Create(await retriever.GetDocumentAsync(address, cancel)).Keys.Select(Read).OfType<SigningKey>()];
    }

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
                    SecurityAlgorithms.RsaSha256, key.Kid, new RsaSecurityKey(new RSAParameters { Modulus = Bytes(key.N), Exponent = Bytes(key.E) })),
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
