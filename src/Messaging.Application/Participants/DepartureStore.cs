using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Messages;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Participants;
using NodaTime;

namespace Messaging.Application.Participants;

/// <summary>How somebody goes, be it by leaving, by being put out or by a ban: what it does is the same.</summary>
public sealed class DepartureStore(
    DbSession session, ConversationStore conversations, MessageSender messages, Announcer announcer, IClock clock)
{
    // Index: pk_participants, the people of one conversation: at most a group's size.
    private const string SuccessorSql =
        """
        SELECT user_id
        FROM participants
        WHERE conversation_id = @ConversationId AND user_id <> @UserId AND left_at IS NULL
        ORDER BY role <> 'admin', joined_at, user_id
        LIMIT 1
        """;

    // Waits for those who are bringing the one who leaves into groups, and has others who want to see it first: nobody is brought into a group
    // after the leaving was answered. After the conversation's lock. Index: pk_users.
    private const string LeavingSql =
        """
        SELECT id
        FROM users
        WHERE id = @UserId
        FOR UPDATE
        """;

    // Under the conversation's lock. Who comes back finds the own settings as they were; who went by choice is left alone for a day, which the
    // database counts from its own time, as it asks whether the day is over. The statement's, which begins after the lock was waited for.
    // Index: pk_participants, pk_inbox_places.
    private const string LeaveSql =
        """
        WITH i AS (
            DELETE FROM inbox_places
            WHERE conversation_id = @ConversationId AND user_id = @UserId
        )
        UPDATE participants
        SET left_at = statement_timestamp(), role = 'member',
            stays_out_until = CASE WHEN @ByChoice THEN statement_timestamp() + interval '24 hours' END
        WHERE conversation_id = @ConversationId AND user_id = @UserId AND left_at IS NULL
        """;

    // Under the conversation's lock.
    private const string PromoteSql =
        """
        UPDATE participants
        SET role = 'owner'
        WHERE conversation_id = @ConversationId AND user_id = @UserId AND left_at IS NULL
        """;

    // Under the conversation's lock: whoever went was the last one.
    private const string EndSql =
        """
        UPDATE conversations
        SET closed_at = @Now, closed_by = NULL, closed_reason = 'empty', closed_note = NULL, version = version + 1, updated_at = @Now
        WHERE id = @ConversationId AND closed_at IS NULL
        """;

    /// <summary>Who follows if this one is the owner and goes.</summary>
    public async Task<UserId?> FindSuccessorAsync(Conversation conversation, UserId leaving, CancellationToken ct) =>
        conversation.OwnerId != leaving
            ? null
            : await session.QuerySingleOrDefaultAsync<UserId?>(
                SuccessorSql, new { ConversationId = conversation.Id.Value, UserId = leaving.Value }, ct);

    /// <summary>Writes and tells what the conversation, locked and changed already, has decided.</summary>
    public async Task LeaveAsync(Conversation conversation, Removal removal, CancellationToken ct)
    {
        var (id, now) = (conversation.Id, clock.GetCurrentInstant());
        var byChoice = removal.By == removal.UserId;
        var parameters = new { ConversationId = id.Value, UserId = removal.UserId.Value, Now = now, ByChoice = byChoice };
        if (byChoice)
            await session.ExecuteAsync(LeavingSql, parameters, ct);
        await session.ExecuteAsync(LeaveSql, parameters, ct);
        await conversations.SaveAsync(conversation, now, ct);
        var wasOwner = conversation.OwnerId is { } owner && owner != removal.UserId && await PromoteAsync(id, owner, ct);

        await messages.NoteAsync(
            conversation, new SystemNote(byChoice ? "user-left" : "user-removed", removal.By, [removal.UserId]), ct);
        await announcer.RemovalAsync(id, removal, ct);
        if (wasOwner)
        {
            await messages.NoteAsync(conversation, new SystemNote("owner-changed", removal.By, [conversation.OwnerId!.Value]), ct);
            await announcer.RolesAsync(id, removal.By, [conversation.OwnerId.Value], ct);
            await announcer.ConversationAsync(new ConversationUpdated(id), ct);
        }
        if (conversation.ParticipantCount == 0 && await session.ExecuteAsync(EndSql, parameters, ct) == 1)
            await announcer.ConversationAsync(new ConversationClosed(id), ct);
    }

    private async Task<bool> PromoteAsync(ConversationId id, UserId owner, CancellationToken ct)
    {
        var current = await conversations.FindParticipantAsync(id, owner, ct);
        if (current is null or { Role: ParticipantRole.Owner })
            return false;
        await session.ExecuteAsync(PromoteSql, new { ConversationId = id.Value, UserId = owner.Value }, ct);
        return true;
    }
}
