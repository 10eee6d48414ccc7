using System.Security.Cryptography;
using System.Text;
using MediatR;
using Messaging.Application.Revocations;
using Messaging.Application.Users;
using Messaging.Domain.Common;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Caching.Memory;
using NodaTime;

namespace Messaging.Api.Auth;

/// <summary>
/// Good tokens, known by their SHA-256 for an hour at most, so that a request with a token seen before costs microseconds. A token that is
/// new to this node is looked up among the revoked ones, which also makes its user's row, if there is none; one that is known is refused
/// by the list of what was revoked since.
/// </summary>
internal sealed class UserTokens(
    TokenValidator validator, ServiceKeyCheck serviceKeys, RevocationList revocations, IClock clock, TimeProvider time)
    : IDisposable
{
    // About 1 kB each.
    private const int MaxTokens = 50_000;

    // Less than revocations are kept, by no clock that may be set.
    private static readonly TimeSpan KnownFor = RevocationList.KeptFor / 2;

    private readonly MemoryCache known = new(new MemoryCacheOptions { SizeLimit = MaxTokens });

    private sealed record Known(AuthenticationTicket Ticket, Credential Credential, long SeenAt);

    public async Task<AuthenticationTicket> AuthenticateAsync(string token, IMediator mediator, CancellationToken ct)
    {
        var key = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
        if (known.Get<Known>(key) is { } found
            && time.GetElapsedTime(found.SeenAt) < KnownFor
            && !found.Credential.IsExpired(clock.GetCurrentInstant()))
        {
            return revocations.IsRevoked(found.Credential) ? throw Revoked() : found.Ticket;
        }

        var seenAt = time.GetTimestamp();
        var valid = await validator.ValidateAsync(token, ct);
        if (!await mediator.Send(new ProvisionUser(valid.UserId, Stored(valid.Credential), valid.Name, valid.Picture), ct))
            throw Revoked();
        var ticket = Callers.UserTicket(valid.UserId, valid.Credential);
        using var entry = known.CreateEntry(key);
        entry.Size = 1;
        // By the node's clock, whose time of day may be wrong: only to make room. What counts is asked above.
        entry.AbsoluteExpirationRelativeToNow = KnownFor;
        entry.Value = new Known(ticket, valid.Credential, seenAt);
        return ticket;
    }

    public void Dispose() => known.Dispose();

    // The configured key stands in no table and is good as long as it is configured.
    private Credential Stored(Credential credential) =>
        credential.ServiceKeyId is { } keyId && serviceKeys.IsConfigured(keyId) ? credential with { ServiceKeyId = null } : credential;

    internal static RuleException Revoked() => new(new Problem(ProblemCodes.Unauthenticated, "The token has been revoked; get a new one."));
}
