using Microsoft.IdentityModel.Tokens;

namespace Messaging.Api.Auth;

/// <summary>
/// A key together with the one algorithm it is used with: a token names a key by both, so a public key never checks an HMAC.
/// </summary>
/// <param name="KeyId">Null for a key that any token of its algorithm may be signed with.</param>
internal sealed record SigningKey(string Algorithm, string? KeyId, SecurityKey Key);
