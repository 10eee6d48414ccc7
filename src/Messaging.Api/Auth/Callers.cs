using System.Security.Claims;
using Messaging.Application.Revocations;
using Messaging.Application.ServiceKeys;
using Messaging.Domain.Common;
using Messaging.Domain.ServiceKeys;
using Microsoft.AspNetCore.Authentication;

namespace Messaging.Api.Auth;

/// <summary>Who calls, as endpoints and the hub see it.</summary>
public static class Callers
{
    private const string KeyClaim = "messaging:key";
    private const string ScopeClaim = "messaging:scope";

    /// <summary>The user or the service that the request acts as. Only where a credential is required.</summary>
    public static Actor Actor(this HttpContext context) => context.User.Actor();

    /// <inheritdoc cref="Actor(HttpContext)"/>
    public static Actor Actor(this ClaimsPrincipal principal) =>
        principal.FindFirst(ClaimTypes.NameIdentifier) is { } user ? new Actor(new UserId(user.Value))
        : principal.ServiceKeyId() is not null ? Domain.Common.Actor.Service
        : throw new RuleException(new Problem(ProblemCodes.Unauthenticated, "A credential is needed."));

    /// <summary>The id of the service key that the request came with, be it to act as a user; null for a user token.</summary>
    public static string? ServiceKeyId(this ClaimsPrincipal principal) => principal.FindFirst(KeyClaim)?.Value;

    /// <summary>Whether the service key that the request came with has the scope; a user token has none.</summary>
    public static bool HasScope(this ClaimsPrincipal principal, Scope scope) =>
        principal.HasClaim(ScopeClaim, ScopeNames.NameOf(scope)) || principal.HasClaim(ScopeClaim, ScopeNames.NameOf(Scope.Admin));

    /// <summary>What the caller was let in by, as far as it can be revoked or expires; null for whoever was not.</summary>
    public static Credential? Credential(this ClaimsPrincipal principal) => (principal.Identity as CallerIdentity)?.Credential;

    internal static AuthenticationTicket UserTicket(UserId userId, Credential credential) => Ticket([UserClaim(userId)], credential);

    internal static AuthenticationTicket ServiceTicket(string keyId, IEnumerable<Scope> scopes, UserId? actAs)
    {
        var claims = scopes.Select(scope => new Claim(ScopeClaim, ScopeNames.NameOf(scope))).Prepend(new Claim(KeyClaim, keyId));
        return Ticket(
            actAs is { } userId ? claims.Prepend(UserClaim(userId)) : claims,
            new Credential(actAs, keyId, Session: null, IssuedAt: null));
    }

    // The claim by which SignalR, too, knows a connection's user.
    private static Claim UserClaim(UserId userId) => new(ClaimTypes.NameIdentifier, userId.Value);

    private static AuthenticationTicket Ticket(IEnumerable<Claim> claims, Credential credential) =>
        new(new ClaimsPrincipal(new CallerIdentity(claims, credential)), CredentialHandler.Scheme);

    private sealed class CallerIdentity(IEnumerable<Claim> claims, Credential credential) : ClaimsIdentity(claims, CredentialHandler.Scheme)
    {
        public Credential Credential => credential;
    }
}
