using Messaging.Application.Users;
using Messaging.Domain.Accounts;
using NodaTime;

namespace Messaging.Application.Accounts;

/// <summary>The tokens after a login and after each refresh.</summary>
/// <param name="AccessToken">A user token, to be sent as <c>Authorization: Bearer</c>.</param>
/// <param name="ExpiresAt">When the access token expires; refresh before then.</param>
/// <param name="RefreshToken">Exchanged once for the next tokens: a second use revokes the login.</param>
public sealed record LoginResult(string AccessToken, Instant ExpiresAt, string RefreshToken, UserProfile User)
{
    internal static LoginResult Of(UserProfile user, RefreshToken refreshToken, UserTokenSigner sign, AccountSettings settings, Instant now)
    {
        // A token's times are whole seconds.
        var issuedAt = Instant.FromUnixTimeSeconds(now.ToUnixTimeSeconds());
        var expiresAt = issuedAt + Duration.FromTimeSpan(settings.AccessTokenLifetime);
        var token = new NewToken(user.UserId, issuedAt, expiresAt, Session: refreshToken.Session());
        return new LoginResult(sign(token), expiresAt, refreshToken.Reveal(), user);
    }
}
