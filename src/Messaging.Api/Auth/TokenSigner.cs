using System.Text;
using Messaging.Application.Revocations;
using Messaging.Application.Users;
using Messaging.Domain.Common;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using NodaTime;

namespace Messaging.Api.Auth;

/// <summary>What tokens of this service's own say beside the registered claims.</summary>
internal static class TokenClaims
{
    /// <summary>The service key that minted the token, with which it dies.</summary>
    public const string ServiceKey = "messaging:key";

    /// <summary>The login of a built-in account that the token is of, with which it dies.</summary>
    public const string Session = "messaging:session";
}

/// <summary>Makes user tokens with the shared secret.</summary>
internal sealed class TokenSigner(AuthSettings settings, RevocationList revocations)
{
    public string Sign(NewToken token)
    {
        if (string.IsNullOrEmpty(settings.Hs256Secret))
        {
            throw new RuleException(new Problem(
                ProblemCodes.NotFound, "This service makes no tokens: Messaging__Auth__Hs256Secret is not configured."));
        }
        var key = new SigningKey(
            SecurityAlgorithms.HmacSha256, keyId: null, new SymmetricSecurityKey(Encoding.UTF8.GetBytes(settings.Hs256Secret)));
        // Tokens are revoked by the second: one that is made within the same second as a revocation begins after it.
        var endedAt = Instant.Max(token.EndedAt ?? Instant.MinValue, revocations.TokensEndedAt(token.UserId) ?? Instant.MinValue);
        var issuedAt = endedAt < token.IssuedAt ? token.IssuedAt : endedAt + Duration.FromSeconds(1);
        // The next revocation would not reach it. That of a login dies with the login.
        if (token.Session is null && issuedAt - token.IssuedAt > Duration.FromSeconds(RevokeTokens.MaxSecondsAhead))
        {
            throw new RuleException(new Problem(
                ProblemCodes.Unavailable, "The user's tokens were revoked several times just now; try again in a moment.")
            {
                RetryAfterSeconds = 1,
            });
        }
        var claims = new Dictionary<string, object>(StringComparer.Ordinal) { ["sub"] = token.UserId.Value };
        if (token.ServiceKeyId is { } keyId)
            claims[TokenClaims.ServiceKey] = keyId;
        if (token.Session is { } session)
            claims[TokenClaims.Session] = session;
        return new JsonWebTokenHandler().CreateToken(new SecurityTokenDescriptor
        {
            Issuer = settings.Issuer,
            Audience = settings.Audience,
            IssuedAt = issuedAt.ToDateTimeUtc(),
            NotBefore = token.IssuedAt.ToDateTimeUtc(),
            Expires = token.ExpiresAt.ToDateTimeUtc(),
            Claims = claims,
            SigningCredentials = new SigningCredentials(key.Key, key.Algorithm),
        });
    }
}
