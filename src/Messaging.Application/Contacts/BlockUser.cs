using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Events;
using Messaging.Application.Messages;
using Messaging.Domain.Common;
using Messaging.Domain.Contacts;
using Messaging.Domain.Conversations;
using NodaTime;

namespace Messaging.Application.Contacts;

/// <summary>Blocks somebody: nothing with words or attention reaches the other one, either way; groups are untouched.</summary>
public sealed record BlockUser(Actor Actor, UserId UserId) : ITransactionCommand<BlockedUser>;

/// <summary>The block as it stands.</summary>
/// <param name="Created">False where it was there already.</param>
public sealed record BlockedUser(BlockView Block, bool Created);

/// <summary>What one's other devices hear; whom it concerns does not.</summary>
public sealed record BlockChange(UserId UserId, bool Blocked);

/// <summary>Whom one has blocked, and since when.</summary>
public sealed record BlockView(SenderView User, Instant CreatedAt);

public sealed class BlockUserHandler(
    DbSession session, ConversationStore conversations, PairStore pairs, BlockStore blocks, Outbox outbox, IClock clock)
    : IRequestHandler<BlockUser, BlockedUser>
{
    // Under the pair's lock.
    private const string BlockSql =
        """
        INSERT INTO blocks (user_id, blocked_id, created_at)
        VALUES (@UserId, @BlockedId, @Now)
        ON CONFLICT (user_id, blocked_id) DO NOTHING
        """;

    public async Task<BlockedUser> Handle(BlockUser command, CancellationToken ct)
    {
        var (one, other) = (command.Actor.RequireUser(), command.UserId);
        if (one == other)
            throw ContactErrors.WithOneself();
        await conversations.EnsureThereAsync(other, ct);
        await pairs.LockAsync(one, other, ct);
        await pairs.StopAddingAsync(one, other, ct);

        var created = await session.ExecuteAsync(
            BlockSql, new { UserId = one.Value, BlockedId = other.Value, Now = clock.GetCurrentInstant() }, ct) == 1;
        await blocks.PartAsync(Conversation.DirectKey(one, other, context: null), ct);
        if (created)
            await outbox.TellAsync(new BlockChanged(one), new BlockChange(other, Blocked: true), ct);
        return new BlockedUser((await blocks.ListAsync(one, after: "", other, take: 1, ct)).Single(), created);
    }
}
