using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Events;
using Messaging.Application.Receipts;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Messages;

namespace Messaging.Application.Contacts;

/// <summary>What a yes brings about, however it is said: what waits between two people is opened. Under the pair's lock.</summary>
public sealed class AcceptanceStore(DbSession session, Announcer announcer, Outbox outbox)
{
    // Locks them, in the order of their ids. Index: pk_direct_keys, the range of the pair; pk_conversations; pk_participants.
    private const string WaitingSql =
        $"""
        SELECT c.id
        FROM conversations c
        WHERE c.request IS NOT NULL AND c.id IN (
            SELECT conversation_id
            FROM direct_keys, (VALUES (@Pair::text)) AS the (pair)
            WHERE {PairStore.KeysOfPair})
        ORDER BY c.id
        FOR NO KEY UPDATE
        """;

    // Under the conversation's lock. Whoever has not heard of it is told: the receiver, who finds it in the inbox from now on, or whoever
    // has not opened it where nothing was written yet. Index: pk_conversations, pk_participants.
    private const string OpenSql =
        """
        WITH c AS (
            UPDATE conversations
            SET request = NULL, version = version + 1
            WHERE id = @ConversationId
            RETURNING last_activity_day, created_by, last_seq
        ),
        receiver AS (
            UPDATE participants p
            SET pending = false, activity_day = c.last_activity_day, shown_read_seq = NULL, shown_delivered_seq = NULL
            FROM c
            WHERE p.conversation_id = @ConversationId AND p.pending
            RETURNING p.user_id
        ),
        asker AS (
            UPDATE participants p
            SET shown_read_seq = NULL, shown_delivered_seq = NULL
            FROM c
            WHERE p.conversation_id = @ConversationId AND NOT p.pending
        )
        SELECT p.user_id
        FROM participants p
        CROSS JOIN c
        WHERE p.conversation_id = @ConversationId AND (p.user_id IN (SELECT user_id FROM receiver) OR (c.last_seq = 0 AND p.user_id <> c.created_by))
        """;

    /// <summary>Opens every conversation of the two that waits.</summary>
    /// <param name="pair">Their key without a context.</param>
    public async Task OpenAllAsync(string pair, CancellationToken ct)
    {
        foreach (var id in await session.QueryAsync<ConversationId>(WaitingSql, new { Pair = pair }, ct))
            await OpenAsync(id, ct);
    }

    /// <summary>Opens a conversation that waits. Under its lock too.</summary>
    public async Task OpenAsync(ConversationId id, CancellationToken ct)
    {
        foreach (var user in await session.QueryAsync<UserId>(OpenSql, new { ConversationId = id.Value }, ct))
        {
            await ShowAsync(id, user, ct);
            await outbox.AppendOwnAsync(new UnreadChanged(id, user), new UnreadValues { MarkedUnread = true }, ct);
        }
    }

    /// <summary>Tells somebody of a conversation that was kept from them.</summary>
    public Task ShowAsync(ConversationId id, UserId user, CancellationToken ct) =>
        announcer.ConversationAsync(new ConversationCreated(id, user), ct);
}
