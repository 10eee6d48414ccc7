using System.Data.Common;
using System.Text.Json;
using Messaging.Application.Common;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Messages;
using NodaTime;

namespace Messaging.Application.Messages;

/// <summary>Messages that are there already.</summary>
public sealed class MessagePart(MessageDetailSet details) : ChangePart
{
    // Under the locks. Index: ix_messages_id, in the partitions around the time that the id tells; pk_participants, pk_message_hidden.
    private const string LoadSql =
        $"""
        SELECT k.conversation_id, k.user_id, m.id, m.seq, m.sender_id, m.type, m.created_at, m.deleted_at IS NOT NULL AS is_deleted,
            m.version
        FROM {SoughtMessage.Places}
        LEFT JOIN participants p ON p.conversation_id = k.conversation_id AND p.user_id = k.user_id AND {VisibilitySql.TakesPart}
        WHERE k.user_id = '' OR ({VisibilitySql.Seen})
        """;

    // Index: as for messages.
    private const string LoadBodiesSql =
        $"""
        SELECT m.id, m.text, m.metadata::text, m.mentions, m.location::text, m.reference::text, m.edit_count, m.edited_at
        FROM {SoughtMessage.Places}
        """;

    // Index: pk_messages, in the partition of its time.
    private const string SaveSql =
        """
        UPDATE messages m
        SET text = w.text, metadata = w.metadata::jsonb, mentions = string_to_array(w.mentions, ' '), location = w.location::jsonb,
            reference = w.reference::jsonb, edit_count = w.edit_count, edited_at = w.edited_at::timestamptz,
            deleted_at = w.deleted_at::timestamptz,
            deleted_by = w.deleted_by, deleted_reason = w.deleted_reason, version = w.version
        FROM unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::integer[],
                $10::text[], $11::text[], $12::text[], $13::text[], $14::bigint[])
            AS w (conversation_id, seq, created_at, text, metadata, mentions, location, reference, edit_count, edited_at, deleted_at,
                deleted_by, deleted_reason, version)
        WHERE m.conversation_id = w.conversation_id AND m.seq = w.seq AND m.created_at = w.created_at
        """;

    private const string AddEditsSql =
        """
        INSERT INTO message_edits (conversation_id, seq, version, text, metadata, edited_by, edited_at)
        SELECT w.conversation_id, w.seq, w.version, w.text, w.metadata::jsonb, w.edited_by, w.edited_at
        FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::timestamptz[])
            AS w (conversation_id, seq, version, text, metadata, edited_by, edited_at)
        """;

    private const string AddOriginalsSql =
        """
        INSERT INTO message_originals (conversation_id, seq, text, metadata, mentions, location, reference)
        SELECT w.conversation_id, w.seq, w.text, w.metadata::jsonb, string_to_array(w.mentions, ' '), w.location::jsonb, w.reference::jsonb
        FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
            AS w (conversation_id, seq, text, metadata, mentions, location, reference)
        """;

    // One of the service's is a gap already.
    private const string AddGapsSql =
        """
        INSERT INTO message_gaps (conversation_id, seq, deletion)
        SELECT w.conversation_id, w.seq, w.deletion::jsonb
        FROM unnest($1::uuid[], $2::bigint[], $3::text[]) AS w (conversation_id, seq, deletion)
        ON CONFLICT (conversation_id, seq) DO UPDATE SET deletion = EXCLUDED.deletion
        """;

    // Index: pk_mentions.
    private const string RemoveMentionsSql =
        """
        DELETE FROM mentions n
        USING unnest($1::uuid[], $2::text[], $3::bigint[]) AS w (conversation_id, user_id, seq)
        WHERE n.conversation_id = w.conversation_id AND n.user_id = w.user_id AND n.seq = w.seq
        """;

    public const string AddMentionsSql =
        """
        INSERT INTO mentions (conversation_id, user_id, seq)
        SELECT w.conversation_id, w.user_id, w.seq
        FROM unnest($1::uuid[], $2::text[], $3::bigint[]) AS w (conversation_id, user_id, seq)
        """;

    private const string AddHiddenSql =
        """
        INSERT INTO message_hidden (conversation_id, user_id, seq, hidden_at)
        SELECT w.conversation_id, w.user_id, w.seq, w.at
        FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::timestamptz[]) AS w (conversation_id, user_id, seq, at)
        """;

    // What counted as unread is a gap of one's own from now on; one's own messages may be such already.
    private const string AddOwnGapsSql =
        """
        INSERT INTO participant_gaps (conversation_id, user_id, seq)
        SELECT w.conversation_id, w.user_id, w.seq
        FROM unnest($1::uuid[], $2::text[], $3::bigint[]) AS w (conversation_id, user_id, seq)
        ON CONFLICT DO NOTHING
        """;

    /// <summary>Notes that some messages do not count for somebody.</summary>
    // Index: pk_participants.
    public const string MarkGapsSql =
        """
        UPDATE participants p
        SET has_gaps = true
        FROM unnest($1::uuid[], $2::text[]) AS w (conversation_id, user_id)
        WHERE p.conversation_id = w.conversation_id AND p.user_id = w.user_id
        """;

    // Slow mode counts from the edit on. Index: pk_participants.
    private const string PaceSql =
        """
        UPDATE participants p
        SET last_sent_at = greatest(p.last_sent_at, w.at)
        FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS w (conversation_id, user_id, at)
        WHERE p.conversation_id = w.conversation_id AND p.user_id = w.user_id
        """;

    private readonly HashSet<SoughtMessage> asked = [];
    private readonly HashSet<SoughtMessage> bodiesAsked = [];
    private readonly HashSet<SoughtMessage> seen = [];
    private readonly Dictionary<MessageId, ConversationId> places = [];
    private readonly Dictionary<MessageId, StoredMessage> stored = [];
    private readonly Dictionary<MessageId, StoredMessage> messages = [];
    private readonly List<(ConversationId Id, StoredMessage Before, UserId? By, Instant At)> edits = [];
    private readonly List<(ConversationId Id, StoredMessage Before)> originals = [];
    private readonly List<(SoughtMessage Sought, long Seq, Instant At)> hidden = [];

    internal override ChangeStage Stage => ChangeStage.Message;

    /// <summary>What was not found where its id tells.</summary>
    internal List<SoughtMessage> Missing => [.. asked.Where(sought => !seen.Contains(sought))];

    /// <summary>Asks for a message, for somebody who may see it.</summary>
    public void Require(SoughtMessage sought) => asked.Add(sought);

    /// <summary>Asks for a message with what it says.</summary>
    public void RequireBody(SoughtMessage sought)
    {
        asked.Add(sought);
        bodiesAsked.Add(sought);
    }

    /// <summary>The message as the changes before have left it; refuses, as absent, one elsewhere or not the viewer's to see.</summary>
    public StoredMessage Get(SoughtMessage sought) => seen.Contains(sought) ? messages[sought.Id] : throw CommonErrors.NotFound();

    /// <summary>A quote of a message as the changes before have left it; null for one that its viewer has deleted for oneself.</summary>
    public ReplyView? Quote(SoughtMessage sought, ReplyView reply)
    {
        if (hidden.Exists(h => h.Sought == sought))
            return null;
        if (!messages.TryGetValue(reply.Id, out var message) || ReferenceEquals(message, stored[reply.Id]))
            return reply;
        return reply with { Preview = Previews.Of(message.Body!.Text), Deleted = message.IsDeleted };
    }

    /// <summary>Leaves a message that says something else to be written, and what it said before.</summary>
    public void Edit(ConversationId id, StoredMessage edited, UserId? by, Instant at)
    {
        edits.Add((id, messages[edited.Id], by, at));
        messages[edited.Id] = edited;
    }

    /// <summary>Leaves a message that is deleted to be written, and what it said.</summary>
    public void Delete(ConversationId id, StoredMessage deleted)
    {
        originals.Add((id, messages[deleted.Id]));
        messages[deleted.Id] = deleted;
    }

    /// <summary>Takes a message out of the sight of who found it.</summary>
    public void Hide(SoughtMessage sought, Instant at)
    {
        seen.Remove(sought);
        hidden.Add((sought, messages[sought.Id].Seq, at));
    }

    internal override void Load(Round round) => Load(round, asked, bodiesAsked, SoughtMessage.Near);

    internal override void LoadElsewhere(Round round) =>
        Load(round, Missing.ToHashSet(), Missing.Where(bodiesAsked.Contains).ToHashSet(), SoughtMessage.Anywhere);

    internal override void Write(Round round)
    {
        Columns.IfAny(edits, rows => round.Add(
            AddEditsSql, Columns.Of(rows, e => e.Id.Value), Columns.Of(rows, e => e.Before.Seq), Columns.Of(rows, e => e.Before.Version),
            Columns.Of(rows, e => e.Before.Body!.Text), Columns.Of(rows, e => e.Before.Body!.Metadata), Columns.Of(rows, e => e.By?.Value),
            Columns.Of(rows, e => e.At.ToDateTimeUtc())));
        Columns.IfAny(
            edits.Where(e => e.By is not null).GroupBy(e => (e.Id, By: e.By!.Value)).Select(group => (group.Key, group.Last().At)).ToList(),
            rows => round.Add(
                PaceSql, Columns.Of(rows, e => e.Key.Id.Value), Columns.Of(rows, e => e.Key.By.Value),
                Columns.Of(rows, e => e.At.ToDateTimeUtc())));
        WriteDeletions(round);
        WriteMessages(round);
        WriteHidden(round);
    }

    private void WriteDeletions(Round round) => Columns.IfAny(originals, rows =>
    {
        var (ids, seqs) = (Columns.Of(rows, o => o.Id.Value), Columns.Of(rows, o => o.Before.Seq));
        round.Add(
            AddOriginalsSql, ids, seqs, Columns.Of(rows, o => o.Before.Body!.Text), Columns.Of(rows, o => o.Before.Body!.Metadata),
            Columns.Of(rows, o => Joined(o.Before.Body!.Mentions)), Columns.Of(rows, o => o.Before.Body!.Location),
            Columns.Of(rows, o => o.Before.Body!.Reference));
        round.Add(
            AddGapsSql, ids, seqs,
            Columns.Of(rows, o => JsonSerializer.Serialize(DeletedView.Of(messages[o.Before.Id].Deletion!), MessagingJson.Options)));
        foreach (var deletion in details.Deletions)
            round.Add(deletion, ids, seqs);
    });

    private void WriteMessages(Round round)
    {
        var changed = messages.Values.Where(message => !ReferenceEquals(message, stored[message.Id])).ToList();
        Columns.IfAny(changed, rows => round.Add(
            SaveSql, Columns.Of(rows, m => places[m.Id].Value), Columns.Of(rows, m => m.Seq),
            Columns.Of(rows, m => m.CreatedAt.ToDateTimeUtc()),
            Columns.Of(rows, m => m.Body!.Text), Columns.Of(rows, m => m.Body!.Metadata), Columns.Of(rows, m => Joined(m.Body!.Mentions)),
            Columns.Of(rows, m => m.Body!.Location), Columns.Of(rows, m => m.Body!.Reference), Columns.Of(rows, m => m.EditCount),
            Columns.Of(rows, m => Columns.Text(m.EditedAt)), Columns.Of(rows, m => Columns.Text(m.Deletion?.At)),
            Columns.Of(rows, m => m.Deletion?.By?.Value), Columns.Of(rows, m => m.Deletion?.Reason.ToString().ToLowerInvariant()),
            Columns.Of(rows, m => m.Version)));
        WriteMentions(
            round, RemoveMentionsSql, changed.SelectMany(m => stored[m.Id].Counted.Except(m.Counted).Select(user => (m, user))).ToList());
        WriteMentions(
            round, AddMentionsSql, changed.SelectMany(m => m.Counted.Except(stored[m.Id].Counted).Select(user => (m, user))).ToList());
    }

    private void WriteMentions(Round round, string sql, List<(StoredMessage Message, UserId User)> mentions) => Columns.IfAny(
        mentions, rows => round.Add(
            sql, Columns.Of(rows, row => places[row.Message.Id].Value), Columns.Of(rows, row => row.User.Value),
            Columns.Of(rows, row => row.Message.Seq)));

    private void WriteHidden(Round round) => Columns.IfAny(hidden, rows =>
    {
        var (ids, users, seqs) = (
            Columns.Of(rows, h => h.Sought.ConversationId.Value), Columns.Of(rows, h => h.Sought.UserId!.Value.Value),
            Columns.Of(rows, h => h.Seq));
        round.Add(AddHiddenSql, ids, users, seqs, Columns.Of(rows, h => h.At.ToDateTimeUtc()));
        round.Add(AddOwnGapsSql, ids, users, seqs);
        round.Add(MarkGapsSql, ids, users);
    });

    private static string? Joined(IReadOnlyList<UserId> users) => users.Count == 0 ? null : string.Join(' ', users);

    private void Load(
        Round round, HashSet<SoughtMessage> sought, HashSet<SoughtMessage> bodies, Func<IReadOnlyCollection<SoughtMessage>, object[]> where)
    {
        Columns.IfAny(sought, rows => round.Read(LoadSql, Read, where(rows)));
        Columns.IfAny(bodies, rows => round.Read(LoadBodiesSql, ReadBody, where(rows)));
    }

    private void Read(DbDataReader reader)
    {
        var sought = new SoughtMessage(
            new(reader.GetGuid(0)), reader.GetString(1) is { Length: > 0 } user ? new UserId(user) : null, new(reader.GetGuid(2)));
        seen.Add(sought);
        places[sought.Id] = sought.ConversationId;
        stored[sought.Id] = messages[sought.Id] = new StoredMessage(
            sought.Id, reader.GetInt64(3), reader.IsDBNull(4) ? null : new UserId(reader.GetString(4)),
            Enum.Parse<MessageType>(reader.GetString(5), ignoreCase: true), Instant.FromDateTimeUtc(reader.GetDateTime(6)),
            reader.GetBoolean(7), reader.GetInt64(8));
    }

    // After the messages. Of one that nobody may see who asks, nothing is kept.
    private void ReadBody(DbDataReader reader)
    {
        if (!messages.TryGetValue(new(reader.GetGuid(0)), out var message))
            return;
        stored[message.Id] = messages[message.Id] = message with
        {
            Body = new MessageBody(
                Text(1), Text(2), reader.IsDBNull(3) ? [] : [.. reader.GetFieldValue<string[]>(3).Select(user => new UserId(user))],
                Text(4), Text(5)),
            EditCount = reader.GetInt32(6),
            EditedAt = reader.IsDBNull(7) ? null : Instant.FromDateTimeUtc(reader.GetDateTime(7)),
        };

        string? Text(int column) => reader.IsDBNull(column) ? null : reader.GetString(column);
    }
}
