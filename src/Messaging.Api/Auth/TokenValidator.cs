using System.Text;
using Messaging.Domain.Common;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using NodaTime;

namespace Messaging.Api.Auth;

/// <summary>What a good token says.</summary>
internal sealed record ValidToken(UserId UserId, Instant ExpiresAt, string? Name, string? Picture);

/// <summary>Checks user tokens: HS256, RS256 or ES256, whichever of them keys are configured for.</summary>
internal sealed class TokenValidator(AuthSettings settings, JwksKeys published, IClock clock)
{
    // A token that was just made is not refused because its maker's clock is ahead; expiry is taken at its word.
    private static readonly Duration ClockSkew = Duration.FromSeconds(30);

    private readonly JsonWebTokenHandler handler = new();
    private readonly SigningKey[] configured = [.. Configured(settings)];

    /// <summary>What the token says, once all about it is in order.</summary>
    /// <exception cref="RuleException">The token is not good, with a reason that helps its maker and names no secret.</exception>
    public async Task<ValidToken> ValidateAsync(string text, CancellationToken ct)
    {
        try
        {
            var token = new JsonWebToken(text);
            // A header that must be understood (RFC 7515, 4.1.11), and none is.
            if (token.TryGetHeaderValue<object>("crit", out _))
                throw Refuse("uses a critical header that is not supported");
            var keys = await KeysAsync(token, ct);
            var result = handler.ValidateToken(text, Parameters(keys));
            if (!result.IsValid)
                throw Refuse(Reason(result.Exception));
            return Read(token);
        }
        catch (Exception e) when (e is not (RuleException or OperationCanceledException))
        {
            // The library has no exception of its own for text that is no token.
            throw Refuse("cannot be read");
        }
    }

    private async Task<List<SecurityKey>> KeysAsync(JsonWebToken token, CancellationToken ct)
    {
        var algorithm = token.Alg;
        var keys = configured.Where(key => key.Algorithm == algorithm).Select(key => key.Key).ToList();
        if (algorithm is SecurityAlgorithms.RsaSha256 or SecurityAlgorithms.EcdsaSha256)
        {
            var keyId = string.IsNullOrEmpty(token.Kid) ? null : token.Kid;
            keys.AddRange((await published.FindAsync(algorithm, keyId, ct)).Select(key => key.Key));
        }
        return keys.Count > 0 ? keys : throw Refuse("is signed with an algorithm or a key that is not accepted here");
    }

    private TokenValidationParameters Parameters(List<SecurityKey> keys) => new()
    {
        // The resolver's keys are the only ones tried, each with its own algorithm.
        IssuerSigningKeyResolver = (_, _, _, _) => keys,
        ValidateIssuer = !string.IsNullOrEmpty(settings.Issuer),
        ValidIssuer = settings.Issuer,
        ValidateAudience = !string.IsNullOrEmpty(settings.Audience),
        ValidAudience = settings.Audience,
        RequireExpirationTime = true,
        LifetimeValidator = (notBefore, expires, _, _) => IsAlive(notBefore, expires),
    };

    private bool IsAlive(DateTime? notBefore, DateTime? expires)
    {
        if (expires is not { } end)
            throw new SecurityTokenNoExpirationException();
        var now = clock.GetCurrentInstant();
        if (notBefore is { } start && (now + ClockSkew).ToDateTimeUtc() < start)
            throw new SecurityTokenNotYetValidException();
        return now.ToDateTimeUtc() < end ? true : throw new SecurityTokenExpiredException();
    }

    private static ValidToken Read(JsonWebToken token)
    {
        if (!token.TryGetPayloadValue<string>("sub", out var subject) || !UserId.TryParse(subject, provider: null, out var userId))
            throw Refuse("has no 'sub' that is a user id: 1 to 64 of A-Z a-z 0-9 _ . : @ -");
        token.TryGetPayloadValue<string>("name", out var name);
        token.TryGetPayloadValue<string>("picture", out var picture);
        return new ValidToken(userId, Instant.FromDateTimeUtc(token.ValidTo), name, picture);
    }

    private static string Reason(Exception exception) => exception switch
    {
        SecurityTokenExpiredException => "has expired",
        SecurityTokenNotYetValidException => "is not valid yet",
        SecurityTokenNoExpirationException => "has no 'exp'",
        SecurityTokenInvalidIssuerException => "has another 'iss' than is expected here",
        SecurityTokenInvalidAudienceException => "has another 'aud' than is expected here",
        SecurityTokenInvalidSignatureException or SecurityTokenSignatureKeyNotFoundException => "has a wrong signature",
        _ => "cannot be read",
    };

    private static RuleException Refuse(string reason) => new(new Problem(ProblemCodes.Unauthenticated, $"The token {reason}."));

    private static IEnumerable<SigningKey> Configured(AuthSettings settings)
    {
        if (!string.IsNullOrEmpty(settings.Hs256Secret))
            yield return new SigningKey(SecurityAlgorithms.HmacSha256, keyId: null, new SymmetricSecurityKey(Encoding.UTF8.GetBytes(settings.Hs256Secret)));
        foreach (var key in string.IsNullOrEmpty(settings.PublicKeys) ? [] : PemKeys.Parse(settings.PublicKeys))
            yield return key;
    }
}
