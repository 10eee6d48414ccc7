using Microsoft.IdentityModel.Tokens;

namespace Messaging.Api.Auth;

/// <summary>
/// A key together with the one algorithm it is used with: a token names a key by both, so a public key never checks an HMAC.
/// </summary>
internal sealed class SigningKey
{
    /// <summary>Binds the key to its algorithm.</summary>
    /// <param name="keyId">Null for a key that any token of its algorithm may be signed with.</param>
    public SigningKey(string algorithm, string? keyId, SecurityKey key)
    {
        (Algorithm, KeyId, Key) = (algorithm, keyId, key);
        // The library's cache goes by the key's id for the whole process: a withdrawn key would check on under a reused id.
        key.CryptoProviderFactory = new CryptoProviderFactory { CacheSignatureProviders = false };
    }

    public string Algorithm { get; }

    public string? KeyId { get; }

    public SecurityKey Key { get; }
}
