using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Common;

namespace Messaging.Application.Contacts;

/// <summary>Lifts the user's own block; one by the other user stays.</summary>
[OneTransaction("the block is decided under the pair's lock and applied to conversations")]
public sealed record UnblockUser(Actor Actor, UserId UserId) : ITransactionCommand<Done>;

public sealed class UnblockUserHandler(PairStore pairs) : IRequestHandler<UnblockUser, Done>
{
    public async Task<Done> Handle(UnblockUser command, CancellationToken ct)
    {
        var (one, other) = (command.Actor.RequireUser(), command.UserId);
        var pair = await pairs.LockToBlockAsync(one, other, ct);
        pair.Unblock();
        await pairs.SaveAsync(pair, ct);
        return default;
    }
}
