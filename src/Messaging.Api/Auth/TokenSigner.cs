using System.Text;
using Messaging.Domain.Common;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using NodaTime;

namespace Messaging.Api.Auth;

/// <summary>Makes user tokens with the shared secret.</summary>
internal sealed class TokenSigner(AuthSettings settings)
{
    public string Sign(UserId userId, Instant issuedAt, Instant expiresAt)
    {
        if (string.IsNullOrEmpty(settings.Hs256Secret))
        {
            throw new RuleException(new Problem(
                ProblemCodes.NotFound, "This service makes no tokens: Messaging__Auth__Hs256Secret is not configured."));
        }
        var key = new SigningKey(
            SecurityAlgorithms.HmacSha256, keyId: null, new SymmetricSecurityKey(Encoding.UTF8.GetBytes(settings.Hs256Secret)));
        return new JsonWebTokenHandler().CreateToken(new SecurityTokenDescriptor
        {
            Issuer = settings.Issuer,
            Audience = settings.Audience,
            IssuedAt = issuedAt.ToDateTimeUtc(),
            NotBefore = issuedAt.ToDateTimeUtc(),
            Expires = expiresAt.ToDateTimeUtc(),
            Claims = new Dictionary<string, object>(StringComparer.Ordinal) { ["sub"] = userId.Value },
            SigningCredentials = new SigningCredentials(key.Key, key.Algorithm),
        });
    }
}
