using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Events;
using Messaging.Domain.Common;
using Messaging.Domain.Contacts;
using Messaging.Domain.Conversations;

namespace Messaging.Application.Contacts;

/// <summary>Lifts one's block. Where the other one blocks too, that stands.</summary>
public sealed record UnblockUser(Actor Actor, UserId UserId) : ITransactionCommand<Done>;

public sealed class UnblockUserHandler(DbSession session, PairStore pairs, BlockStore blocks, Outbox outbox) : IRequestHandler<UnblockUser, Done>
{
    // Under the pair's lock.
    private const string UnblockSql =
        """
        DELETE FROM blocks
        WHERE user_id = @UserId AND blocked_id = @BlockedId
        """;

    public async Task<Done> Handle(UnblockUser command, CancellationToken ct)
    {
        var (one, other) = (command.Actor.RequireUser(), command.UserId);
        await pairs.LockAsync(one, other, ct);

        if (await session.ExecuteAsync(UnblockSql, new { UserId = one.Value, BlockedId = other.Value }, ct) == 0)
            return default;
        await outbox.TellAsync(new BlockChanged(one), new BlockChange(other, Blocked: false), ct);
        if (!(await pairs.LockAsync(one, other, ct)).Blocked)
            await blocks.RejoinAsync(Conversation.DirectKey(one, other, context: null), ct);
        return default;
    }
}
