using Messaging.Application.Common;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Conversations;

/// <summary>
/// Where conversations stand in the inboxes of users who have too many of one day: each has a place there as long as the user takes part,
/// and the place's time is that of the newest message. Whoever writes places holds the conversation.
/// </summary>
public sealed class InboxPlaceStore(DbSession session, LargeInboxCache notes)
{
    // Waits for who begins to keep somebody's places just now: what is added by then is found there, what is added later is seen here.
    // Their new rows have the lock already; those who come back have not. In the order of the ids. Index: pk_users.
    private const string LockSql =
        """
        SELECT id
        FROM users
        WHERE id = ANY(@UserIds)
        ORDER BY id
        FOR KEY SHARE
        """;

    /// <summary>Gives people who have come into conversations their places; later than the lock.</summary>
    // Index: pk_large_inboxes, pk_participants, pk_conversations.
    public const string AddSql =
        """
        INSERT INTO inbox_places (conversation_id, user_id, activity_at)
        SELECT c.id, p.user_id, c.last_activity_at
        FROM unnest($1::uuid[], $2::text[]) AS k (conversation_id, user_id)
        JOIN large_inboxes l ON l.user_id = k.user_id
        JOIN participants p ON p.conversation_id = k.conversation_id AND p.user_id = k.user_id AND p.left_at IS NULL
        JOIN conversations c ON c.id = k.conversation_id
        ON CONFLICT (conversation_id, user_id) DO UPDATE
        SET activity_at = EXCLUDED.activity_at
        """;

    /// <summary>Gives those who have come into the conversation, in this transaction and under its lock, their places.</summary>
    public async Task AddAsync(ConversationId id, IReadOnlyCollection<UserId> users, Instant now, CancellationToken ct)
    {
        await session.ExecuteAsync(LockSql, new { UserIds = users.Select(user => user.Value).ToArray() }, ct);
        await session.UseTransactionAsync(async (connection, transaction) =>
        {
            await using var round = new Round(connection, transaction);
            round.Add(AddSql, Columns.Of(users, _ => id.Value), Columns.Of(users, user => user.Value));
            await round.RunAsync(ct);
        });
        session.AfterCommit(() => Suspect(users, now));
    }

    /// <summary>Has this node look at the inboxes of those who have come into a conversation.</summary>
    public void Suspect(IEnumerable<UserId> users, Instant now)
    {
        foreach (var user in users)
            notes.Suspect(user, now.InUtc().Date);
    }
}
