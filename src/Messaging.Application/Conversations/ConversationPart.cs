using System.Data.Common;
using Messaging.Application.Messages;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using NodaTime;

namespace Messaging.Application.Conversations;

/// <summary>The conversations that are changed.</summary>
public sealed class ConversationPart(PolicySettings policies, SendPart sends) : ChangePart
{
    // Under the locks. Whether it has places is seen by one of them: with EXISTS a plan may read all there are.
    // Index: pk_conversations, pk_inbox_places.
    private const string LoadSql =
        $"""
        SELECT c.id, clock_timestamp() AS now,
            (SELECT true FROM inbox_places i WHERE i.conversation_id = c.id LIMIT 1) IS NOT NULL AS has_inbox_places, c.last_activity_at,
            {ConversationStore.StateColumns}
        FROM conversations c
        WHERE c.id = ANY($1::uuid[])
        """;

    // Under the locks: the seq, the number and the time were drawn from the row as it is. Index: pk_conversations.
    private const string SaveSql =
        """
        UPDATE conversations c
        SET last_seq = w.seq, event_no = w.event_no, last_event_at = w.event_at, last_activity_at = w.at, last_activity_day = w.day,
            last_message_id = w.message_id, last_message_type = w.type, last_message_sender = w.sender_id, last_message_text = w.text
        FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::timestamptz[], $6::date[], $7::uuid[], $8::text[],
                $9::text[], $10::text[])
            AS w (id, seq, event_no, event_at, at, day, message_id, type, sender_id, text)
        WHERE c.id = w.id
        """;

    // Of those to which no message has come: the newest one may be shown otherwise. Index: pk_conversations.
    private const string SaveQuietSql =
        """
        UPDATE conversations c
        SET event_no = w.event_no, last_event_at = w.event_at,
            last_message_text = CASE WHEN w.is_shown_otherwise THEN w.text ELSE c.last_message_text END,
            last_deleted_seq = coalesce(w.deleted_seq, c.last_deleted_seq)
        FROM unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::boolean[], $5::text[], $6::bigint[])
            AS w (id, event_no, event_at, is_shown_otherwise, text, deleted_seq)
        WHERE c.id = w.id
        """;

    // Of those that say something else of themselves, all of it but the profile; and what stands between two, which is not told as a change
    // of what they talk in. Index: pk_conversations.
    private const string SaveChangedSql =
        """
        UPDATE conversations c
        SET version = w.version, owner_id = w.owner_id, participant_count = w.participant_count, blocked = w.blocked, request = w.request,
            updated_at = CASE WHEN (w.blocked, w.request) IS DISTINCT FROM (c.blocked, c.request) THEN c.updated_at ELSE w.at END,
            archived_at = CASE WHEN w.is_archived THEN coalesce(c.archived_at, w.at) END
        FROM unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::text[], $5::integer[], $6::boolean[], $7::boolean[], $8::text[])
            AS w (id, version, at, owner_id, participant_count, is_archived, blocked, request)
        WHERE c.id = w.id
        """;

    // Of those that were closed or opened again. Index: pk_conversations.
    private const string SaveClosingSql =
        """
        UPDATE conversations c
        SET closed_at = w.at::timestamptz, closed_by = w.closed_by, closed_reason = w.reason, closed_note = w.note
        FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[]) AS w (id, at, closed_by, reason, note)
        WHERE c.id = w.id
        """;

    // Of those who are in so many that their inbox is kept in order. Under the conversation's lock, as all that writes them, so nobody is
    // waited for. Index: pk_inbox_places.
    private const string SaveInboxPlacesSql =
        """
        UPDATE inbox_places i
        SET activity_at = w.at
        FROM unnest($1::uuid[], $2::timestamptz[]) AS w (conversation_id, at)
        WHERE i.conversation_id = w.conversation_id
        """;

    private readonly HashSet<ConversationId> asked = [];
    private readonly Dictionary<ConversationId, Conversation> conversations = [];
    private readonly Dictionary<ConversationId, ConversationState> stored = [];
    private readonly HashSet<ConversationId> inLargeInboxes = [];

    internal override ChangeStage Stage => ChangeStage.Conversation;

    /// <summary>The database's time, read under the locks.</summary>
    public Instant Now { get; private set; }

    public void Require(ConversationId id) => asked.Add(id);

    /// <summary>The conversation as earlier changes have left it; null if it does not exist.</summary>
    public Conversation? Find(ConversationId id) => conversations.GetValueOrDefault(id);

    internal override void Load(Round round) => Columns.IfAny(
        asked, ids => round.Read(LoadSql, Read, Columns.Of(ids, id => id.Value)));

    internal override void Write(Round round)
    {
        var newest = sends.Newest;
        Columns.IfAny(newest, rows => round.Add(
            SaveSql, Columns.Of(rows, m => m.ConversationId.Value), Columns.Of(rows, m => m.Position.Seq),
            Columns.Of(rows, m => conversations[m.ConversationId].EventNo),
            Columns.Of(rows, m => conversations[m.ConversationId].LastEventAt.ToDateTimeUtc()),
            Columns.Of(rows, m => m.Position.At.ToDateTimeUtc()), Columns.Of(rows, m => m.Day), Columns.Of(rows, m => m.Id.Value),
            Columns.Of(rows, m => m.Type), Columns.Of(rows, m => m.Sender?.Value), Columns.Of(rows, m => m.Preview)));
        Columns.IfAny(newest.Where(m => inLargeInboxes.Contains(m.ConversationId)).ToList(), placed => round.Add(
            SaveInboxPlacesSql, Columns.Of(placed, m => m.ConversationId.Value), Columns.Of(placed, m => m.Position.At.ToDateTimeUtc())));
        var spoken = newest.Select(message => message.ConversationId).ToHashSet();
        Columns.IfAny(Those((c, was) => c.EventNo != was.EventNo && !spoken.Contains(c.Id)), quiet => round.Add(
            SaveQuietSql, Columns.Of(quiet, c => c.Id.Value), Columns.Of(quiet, c => c.EventNo),
            Columns.Of(quiet, c => c.LastEventAt.ToDateTimeUtc()), Columns.Of(quiet, c => c.Preview is not null),
            Columns.Of(quiet, c => c.Preview?.Text), Columns.Of(quiet, c => c.Preview?.DeletedSeq)));
        Columns.IfAny(Those((c, was) => c.Version != was.Version), changed => round.Add(
            SaveChangedSql, Columns.Of(changed, c => c.Id.Value), Columns.Of(changed, c => c.Version),
            Columns.Of(changed, _ => Now.ToDateTimeUtc()), Columns.Of(changed, c => c.OwnerId?.Value),
            Columns.Of(changed, c => c.ParticipantCount), Columns.Of(changed, c => c.IsArchived), Columns.Of(changed, c => c.IsBlocked),
            Columns.Of(changed, c => c.Request?.ToString().ToLowerInvariant())));
        Columns.IfAny(Those((c, was) => c.Closing is not null || c.IsClosed != was.Closed), changed => round.Add(
            SaveClosingSql, Columns.Of(changed, c => c.Id.Value), Columns.Of(changed, c => Columns.Text(c.Closing?.At)),
            Columns.Of(changed, c => c.Closing?.By?.Value), Columns.Of(changed, c => c.Closing?.Reason.ToString().ToLowerInvariant()),
            Columns.Of(changed, c => c.Closing?.Note)));
    }

    private List<Conversation> Those(Func<Conversation, ConversationState, bool> are) =>
        [.. conversations.Values.Where(conversation => are(conversation, stored[conversation.Id]))];

    private void Read(DbDataReader reader)
    {
        var id = new ConversationId(reader.GetGuid(0));
        Now = Instant.FromDateTimeUtc(reader.GetDateTime(1));
        if (reader.GetBoolean(2))
            inLargeInboxes.Add(id);
        stored[id] = ConversationStore.ReadState(reader, first: 4, policies) with
        {
            LastActivityAt = Instant.FromDateTimeUtc(reader.GetDateTime(3)),
        };
        conversations[id] = new Conversation(id, stored[id]);
    }
}
