using System.Text;
using System.Text.Json;
using Messaging.Application.Common;
using Messaging.Application.Revocations;
using Messaging.Domain.Common;
using Messaging.Domain.ServiceKeys;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using NodaTime;

namespace Messaging.Api.Auth;

/// <summary>What a good token says.</summary>
internal sealed record ValidToken(UserId UserId, Credential Credential, string? Name, string? Picture);

/// <summary>Checks user tokens: HS256, RS256 or ES256, whichever of them keys are configured for.</summary>
internal sealed class TokenValidator(AuthSettings settings, JwksKeys published, IClock clock)
{
    // A token that was just made is not refused because its maker's clock is ahead; expiry is taken at its word.
    private static readonly Duration ClockSkew = Duration.FromSeconds(30);

    private static readonly Instant EndOfTime = Instant.FromUtc(9999, 12, 31, 23, 59, 59);

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    private readonly JsonWebTokenHandler handler = new();
    private readonly SigningKey[] configured = [.. Configured(settings)];

    /// <summary>What the token says, once all about it is in order.</summary>
    /// <exception cref="UnknownCredentialException">Nobody who may has signed it.</exception>
    /// <exception cref="RuleException">It is signed and not good all the same, with a reason that helps its maker and names no
    /// secret.</exception>
    public async Task<ValidToken> ValidateAsync(string text, CancellationToken ct)
    {
        try
        {
            var token = new JsonWebToken(text);
            // A header that must be understood (RFC 7515, 4.1.11), and none is.
            if (token.TryGetHeaderValue<object>("crit", out _))
                throw Unknown("uses a critical header that is not supported");
            var keys = await KeysAsync(token, ct);
            var result = await handler.ValidateTokenAsync(token, Parameters(keys));
            if (!result.IsValid)
                throw Refusal(result.Exception);
            return Read(token);
        }
        catch (Exception e) when (e is not (RuleException or UnknownCredentialException or OperationCanceledException))
        {
            // The library has no exception of its own for text that is no token.
            throw Unknown("cannot be read");
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
        return keys.Count > 0 ? keys : throw Unknown("is signed with an algorithm or a key that is not accepted here");
    }

    private TokenValidationParameters Parameters(List<SecurityKey> keys) => new()
    {
        // The resolver's keys are the only ones tried, each with its own algorithm.
        IssuerSigningKeyResolver = (_, _, _, _) => keys,
        ValidateIssuer = !string.IsNullOrEmpty(settings.Issuer),
        ValidIssuer = settings.Issuer,
        ValidateAudience = !string.IsNullOrEmpty(settings.Audience),
        ValidAudience = settings.Audience,
        // On by default: a token for another service whose name differs by the slash alone would be taken.
        IgnoreTrailingSlashWhenValidatingAudience = false,
        // Below, where what is written is read as it is written.
        ValidateLifetime = false,
    };

    // The library reads a number as text and text that looks like a time as a time, and takes the second of two members.
    private ValidToken Read(JsonWebToken token)
    {
        using var payload = JsonDocument.Parse(Base64UrlEncoder.DecodeBytes(token.EncodedPayload), Strict);
        var now = clock.GetCurrentInstant();
        var expiresAt = Time(payload, "exp") ?? throw Refuse("has no 'exp'");
        if (expiresAt <= now)
            throw Refuse("has expired");
        if (Time(payload, "nbf") > now + ClockSkew)
            throw Refuse("is not valid yet");
        var issuedAt = IssuedAt(payload);
        // It would outlive revocations that come after it.
        if (issuedAt > now + ClockSkew)
            throw Refuse("has an 'iat' that lies in the future");
        if (!UserId.TryParse(Text(payload, "sub"), provider: null, out var userId))
            throw Refuse("has no 'sub' that is a user id: 1 to 64 of A-Z a-z 0-9 _ . : @ -");
        var (keyId, session) = (Text(payload, TokenClaims.ServiceKey), Text(payload, TokenClaims.Session));
        if (keyId is not null && !ServiceKey.IsValidId(keyId))
            throw Refuse($"has a '{TokenClaims.ServiceKey}' that is no service key's id");
        if (session is not null && !StrictText.IsStorable(session))
            throw Refuse($"has a '{TokenClaims.Session}' that is no login's");
        return new ValidToken(
            userId, new Credential(userId, keyId, session, issuedAt, expiresAt), Text(payload, "name"), Text(payload, "picture"));
    }

    // Whole seconds. A token that does not say when it was issued is older than any revocation.
    private static Instant IssuedAt(JsonDocument payload) =>
        payload.RootElement.TryGetProperty("iat", out var value) && value.ValueKind is JsonValueKind.Number
            ? Time(payload, "iat")!.Value
            : NodaConstants.UnixEpoch;

    private static string? Text(JsonDocument payload, string claim) =>
        payload.RootElement.TryGetProperty(claim, out var value) && value.ValueKind is JsonValueKind.String ? value.GetString() : null;

    private static Instant? Time(JsonDocument payload, string claim)
    {
        if (!payload.RootElement.TryGetProperty(claim, out var value))
            return null;
        if (value.ValueKind is not JsonValueKind.Number)
            throw Refuse($"has an '{claim}' that is not a number of seconds");
        var seconds = value.GetDouble();
        if (seconds > EndOfTime.ToUnixTimeSeconds())
            throw Refuse($"has an '{claim}' beyond the year 9999: it is in seconds, not milliseconds");
        // A fraction is allowed.
        return Instant.FromUnixTimeSeconds((long)Math.Max(seconds, 0));
    }

    // The library looks at the signature first.
    private static Exception Refusal(Exception exception) => exception switch
    {
        SecurityTokenInvalidIssuerException => Refuse("has another 'iss' than is expected here"),
        SecurityTokenInvalidAudienceException => Refuse("has another 'aud' than is expected here"),
        SecurityTokenInvalidSignatureException or SecurityTokenSignatureKeyNotFoundException => Unknown("has a wrong signature"),
        _ => Unknown("cannot be read"),
    };

    private static UnknownCredentialException Unknown(string reason) => new($"The token {reason}.");

    private static RuleException Refuse(string reason) => new(new Problem(ProblemCodes.Unauthenticated, $"The token {reason}."));

    private static IEnumerable<SigningKey> Configured(AuthSettings settings)
    {
        if (!string.IsNullOrEmpty(settings.Hs256Secret))
            yield return new SigningKey(
                SecurityAlgorithms.HmacSha256, keyId: null, new SymmetricSecurityKey(Encoding.UTF8.GetBytes(settings.Hs256Secret)));
        foreach (var key in string.IsNullOrEmpty(settings.PublicKeys) ? [] : PemKeys.Parse(settings.PublicKeys))
            yield return key;
    }
}
