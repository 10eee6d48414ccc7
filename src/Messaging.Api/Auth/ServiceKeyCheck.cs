using MediatR;
using Messaging.Application.ServiceKeys;
using Messaging.Application.Users;
using Messaging.Domain.Common;
using Messaging.Domain.ServiceKeys;
using Microsoft.AspNetCore.Authentication;

namespace Messaging.Api.Auth;

/// <summary>Checks service keys: the configured one, and those in the database, which are asked for on every request.</summary>
internal sealed class ServiceKeyCheck
{
    private readonly ServiceKey? bootstrap;
    private readonly byte[] bootstrapHash = [];

    public ServiceKeyCheck(AuthSettings settings)
    {
        if (ServiceKey.TryParse(settings.BootstrapServiceKey, out bootstrap))
            bootstrapHash = bootstrap.Hash();
    }

    /// <summary>The ticket of whoever holds the key.</summary>
    /// <exception cref="RuleException">The key is not good, or there is no user as whom it wants to act.</exception>
    public async Task<AuthenticationTicket> AuthenticateAsync(string text, string? actAs, IMediator mediator, CancellationToken ct)
    {
        if (!ServiceKey.TryParse(text, out var key))
            throw Refused();
        UserId? userId = null;
        var wellFormed = actAs is null;
        if (UserId.TryParse(actAs, provider: null, out var parsed))
            (userId, wellFormed) = (parsed, true);

        var found = IsBootstrap(key)
            ? new AuthenticatedServiceKey(Enum.GetValues<Scope>(), userId is not { } id || await mediator.Send(new IsKnownUser(id), ct))
            : await mediator.Send(new AuthenticateServiceKey(key, userId), ct) ?? throw Refused();
        if (!wellFormed || !found.ActAsKnown)
            throw CommonErrors.Invalid("#/X-User-Id", "There is no such user; create it with PUT /v1/users/{userId} first.");
        return Callers.ServiceTicket(key.Id, found.Scopes, userId);
    }

    /// <summary>Whether it is the configured key's, which stands in no table.</summary>
    public bool IsConfigured(string keyId) => keyId == bootstrap?.Id;

    private bool IsBootstrap(ServiceKey key) => bootstrap is not null && key.Id == bootstrap.Id && key.Matches(bootstrapHash);

    private static RuleException Refused() =>
        new(new Problem(ProblemCodes.Unauthenticated, "The service key is unknown, wrong or revoked."));
}
