using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;

namespace Messaging.Application.Contacts;

/// <summary>Lifts one's block. Where the other one blocks too, that stands.</summary>
public sealed record UnblockUser(Actor Actor, UserId UserId) : ITransactionCommand<Done>;

public sealed class UnblockUserHandler(PairStore pairs, BlockStore blocks) : IRequestHandler<UnblockUser, Done>
{
    public async Task<Done> Handle(UnblockUser command, CancellationToken ct)
    {
        var (one, other) = (command.Actor.RequireUser(), command.UserId);
        var pair = await pairs.LockAsync(one, other, ct);
        if (!pair.Unblock())
            return default;
        await pairs.SaveAsync(pair, ct);
        if (!pair.IsBlocked)
            await blocks.RejoinAsync(Conversation.DirectKey(one, other, context: null), ct);
        return default;
    }
}
