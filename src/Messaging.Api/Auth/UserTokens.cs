using System.Security.Cryptography;
using System.Text;
using MediatR;
using Messaging.Application.Users;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Caching.Memory;
using NodaTime;

namespace Messaging.Api.Auth;

/// <summary>
/// Good tokens, known by their SHA-256 until they expire, so that a request with a token seen before costs microseconds. A token that is
/// new to this node also makes its user's row, if there is none.
/// </summary>
internal sealed class UserTokens(TokenValidator validator, IClock clock) : IDisposable
{
    // About 1 kB each.
    private const int MaxTokens = 50_000;

    private readonly MemoryCache known = new(new MemoryCacheOptions { SizeLimit = MaxTokens });

    public async Task<AuthenticationTicket> AuthenticateAsync(string token, IMediator mediator, CancellationToken ct)
    {
        var key = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
        if (known.Get<AuthenticationTicket>(key) is { } ticket && clock.GetCurrentInstant().ToDateTimeOffset() < ticket.Properties.ExpiresUtc)
            return ticket;

        var valid = await validator.ValidateAsync(token, ct);
        await mediator.Send(new SeeUser(valid.UserId, valid.Name, valid.Picture), ct);
        ticket = Callers.UserTicket(valid.UserId, valid.ExpiresAt);
        using var entry = known.CreateEntry(key);
        entry.Size = 1;
        entry.AbsoluteExpiration = ticket.Properties.ExpiresUtc;
        entry.Value = ticket;
        return ticket;
    }

    public void Dispose() => known.Dispose();
}
