using MediatR;
using Messaging.Application.ServiceKeys;
using Messaging.Application.Users;
using Messaging.Domain.Common;
using Messaging.Domain.ServiceKeys;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Caching.Memory;

namespace Messaging.Api.Auth;

/// <summary>Checks service keys: the configured one, and those in the database, which are asked for on every request.</summary>
internal sealed class ServiceKeyCheck : IDisposable
{
    private const int MaxSeen = 10_000;

    private static readonly TimeSpan SeenFor = TimeSpan.FromHours(1);

    private readonly MemoryCache seen = new(new MemoryCacheOptions { SizeLimit = MaxSeen });
    private readonly ServiceKey? bootstrap;
    private readonly byte[] bootstrapHash = [];

    public ServiceKeyCheck(AuthSettings settings)
    {
        if (ServiceKey.TryParse(settings.BootstrapServiceKey, out bootstrap))
            bootstrapHash = bootstrap.Hash();
    }

    /// <summary>Whether the key was good when it was used last. It lets nobody in: the database is asked all the same.</summary>
    public bool HasSeen(string text) =>
        ServiceKey.TryParse(text, out var key) && (IsBootstrap(key) || seen.TryGetValue(SeenAs(key), out _));

    /// <summary>The ticket of whoever holds the key.</summary>
    /// <exception cref="UnknownCredentialException">The key is not good.</exception>
    /// <exception cref="RuleException">There is no user as whom it wants to act.</exception>
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
            : await FindAsync(key, userId, mediator, ct);
        if (!wellFormed || !found.ActAsKnown)
            throw CommonErrors.Invalid(CredentialHandler.UserHeader, "There is no such user; create it with PUT /v1/users/{userId} first.");
        return Callers.ServiceTicket(key.Id, found.Scopes, userId);
    }

    /// <summary>Whether it is the configured key's, which stands in no table.</summary>
    public bool IsConfigured(string keyId) => keyId == bootstrap?.Id;

    public void Dispose() => seen.Dispose();

    private async Task<AuthenticatedServiceKey> FindAsync(ServiceKey key, UserId? actAs, IMediator mediator, CancellationToken ct)
    {
        if (await mediator.Send(new AuthenticateServiceKey(key, actAs), ct) is not { } found)
        {
            seen.Remove(SeenAs(key));
            throw Refused();
        }
        seen.Set(SeenAs(key), true, new MemoryCacheEntryOptions { Size = 1, SlidingExpiration = SeenFor });
        return found;
    }

    // With the hash of the secret: another one under the same id is a guess.
    private static string SeenAs(ServiceKey key) => key.Id + Convert.ToBase64String(key.Hash());

    private bool IsBootstrap(ServiceKey key) => bootstrap is not null && key.Id == bootstrap.Id && key.Matches(bootstrapHash);

    private static UnknownCredentialException Refused() => new("The service key is unknown, wrong or revoked.");
}
