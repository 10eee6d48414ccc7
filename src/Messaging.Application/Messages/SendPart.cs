using System.Data.Common;
using Dapper;
using Messaging.Application.Attachments;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Messages;

namespace Messaging.Application.Messages;

/// <summary>New messages, and what each of them is decided on beside the conversation and the sender's place.</summary>
public sealed class SendPart(MessagePart earlier) : ChangePart
{
    // Under the locks. Index: pk_message_keys.
    private const string KeysSql =
        """
        SELECT m.conversation_id, m.sender_id, m.client_key, m.seq, m.fingerprint
        FROM unnest($1::uuid[], $2::text[], $3::text[]) AS k (conversation_id, sender_id, client_key)
        JOIN message_keys m ON m.sender_id = k.sender_id AND m.conversation_id = k.conversation_id AND m.client_key = k.client_key
        """;

    // Under the locks. Index: ix_messages_id, in the partitions around the time that the id tells; pk_participants, pk_message_hidden.
    private const string RepliesSql =
        $"""
        SELECT k.conversation_id, k.user_id, m.id, m.seq, m.sender_id, {Previews.Text} AS preview, m.deleted_at IS NOT NULL AS deleted
        FROM {SoughtMessage.Places}
        LEFT JOIN participants p ON p.conversation_id = k.conversation_id AND p.user_id = k.user_id AND {VisibilitySql.TakesPart}
        WHERE k.user_id = '' OR ({VisibilitySql.Seen})
        """;

    private const string AddMessagesSql =
        """
        INSERT INTO messages (conversation_id, seq, created_at, id, sender_id, type, text, metadata, mentions, client_message_id,
            reply_to_seq, location, reference)
        SELECT w.conversation_id, w.seq, w.at, w.id, w.sender_id, w.type, w.text, w.metadata::jsonb, string_to_array(w.mentions, ' '),
            w.client_key, w.reply_to_seq, w.location::jsonb, w.reference::jsonb
        FROM unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
                $10::text[], $11::bigint[], $12::text[], $13::text[])
            AS w (conversation_id, seq, at, id, sender_id, type, text, metadata, mentions, client_key, reply_to_seq, location, reference)
        """;

    private const string AddKeysSql =
        """
        INSERT INTO message_keys (sender_id, conversation_id, client_key, seq, created_at, fingerprint)
        SELECT w.sender_id, w.conversation_id, w.client_key, w.seq, w.at, w.fingerprint
        FROM unnest($1::text[], $2::uuid[], $3::text[], $4::bigint[], $5::timestamptz[], $6::bytea[])
            AS w (sender_id, conversation_id, client_key, seq, at, fingerprint)
        """;

    private const string AddGapsSql =
        """
        INSERT INTO message_gaps (conversation_id, seq)
        SELECT w.conversation_id, w.seq
        FROM unnest($1::uuid[], $2::bigint[]) AS w (conversation_id, seq)
        """;

    private readonly HashSet<KeyOfMessage> keysAsked = [];
    private readonly HashSet<SoughtMessage> repliesAsked = [];
    private readonly HashSet<(ConversationId ConversationId, UserId UserId, AttachmentId Id)> filesAsked = [];
    private readonly Dictionary<KeyOfMessage, StoredKey> keys = [];
    private readonly Dictionary<SoughtMessage, ReplyView> replies = [];
    private readonly List<AttachmentRow> files = [];
    private readonly List<NewMessage> messages = [];

    internal override ChangeStage Stage => ChangeStage.NewMessage;

    /// <summary>Who has sent the message of a seq, if it is a new one; null for the service.</summary>
    internal UserId? SenderOf(ConversationId id, long seq) =>
        messages.Find(message => message.ConversationId == id && message.Position.Seq == seq)?.Sender;

    /// <summary>The newest message of each conversation.</summary>
    internal List<NewMessage> Newest => [.. messages.GroupBy(message => message.ConversationId).Select(group => group.Last())];

    /// <summary>The last message of each sender in each conversation.</summary>
    internal List<NewMessage> LastOfSenders =>
    [
        .. messages.Where(m => m.Sender is not null).GroupBy(m => (m.ConversationId, m.Sender)).Select(group => group.Last())
            .OrderBy(m => m.ConversationId.Value).ThenBy(m => m.Sender!.Value.Value, StringComparer.Ordinal),
    ];

    /// <summary>Those that are the first of their day in their conversations.</summary>
    internal List<NewMessage> FirstOfDays => messages.FindAll(message => message.Position.FirstOfDay);

    /// <summary>Asks for what has a sender's own name already.</summary>
    public void RequireKey(KeyOfMessage key) => keysAsked.Add(key);

    /// <summary>Asks for a message as a reply shows it.</summary>
    public void RequireReply(SoughtMessage sought) => repliesAsked.Add(sought);

    /// <summary>Asks for files that a message is to name, which are locked.</summary>
    public void RequireFiles(ConversationId id, UserId user, IEnumerable<AttachmentId> ids) =>
        filesAsked.UnionWith(ids.Select(file => (id, user, file)));

    /// <summary>What is stored under a sender's own name for it; null for none.</summary>
    public StoredKey? FindKey(KeyOfMessage key) => keys.GetValueOrDefault(key);

    /// <summary>Null for a message that is absent, elsewhere or not the user's to see.</summary>
    public ReplyView? FindReply(SoughtMessage sought) => replies.TryGetValue(sought, out var reply) ? earlier.Quote(sought, reply) : null;

    /// <summary>Those of the files that a message may name, in the order in which it shows them: not another's, nor a named one.</summary>
    public IReadOnlyList<AttachmentRow> FindFiles(ConversationId id, UserId user, IReadOnlyCollection<AttachmentId> ids) =>
        [.. files.Where(file => file.ConversationId == id && file.UploaderId == user && ids.Contains(file.Id))];

    internal void Add(NewMessage message)
    {
        messages.Add(message);
        if (message.Key is { } key)
            keys[key] = new StoredKey(message.Position.Seq, message.Fingerprint!);
        foreach (var file in message.Files)
            files.Remove(file);
    }

    internal override void Lock(Round round, bool waits, Action<ConversationId> miss) => Columns.IfAny(filesAsked, asked =>
    {
        var held = new HashSet<(Guid, Guid)>();
        object[] values =
        [
            Columns.Of(asked, file => file.ConversationId.Value), Columns.Of(asked, file => file.UserId.Value),
            Columns.Of(asked, file => file.Id.Value),
        ];
        round.Read(
            waits ? AttachmentStore.LockUnusedSql : AttachmentStore.TryLockUnusedSql,
            reader => held.Add((reader.GetGuid(0), reader.GetGuid(1))), values);
        Func<DbDataReader, AttachmentRow>? parse = null;
        round.Read(
            AttachmentStore.UnusedSql,
            reader =>
            {
                var file = (parse ??= reader.GetRowParser<AttachmentRow>())(reader);
                files.Add(file);
                if (!held.Contains((file.ConversationId.Value, file.Id.Value)))
                    miss(file.ConversationId);
            },
            values);
    });

    internal override void Load(Round round)
    {
        Columns.IfAny(keysAsked, asked => round.Read(
            KeysSql, reader => keys[KeyOfMessage.Read(reader)] = new StoredKey(reader.GetInt64(3), reader.GetFieldValue<byte[]>(4)),
            Columns.Of(asked, key => key.ConversationId.Value), Columns.Of(asked, key => key.Sender?.Value ?? ""),
            Columns.Of(asked, key => key.Key)));
        Columns.IfAny(repliesAsked, asked => round.Read(RepliesSql, ReadReply, SoughtMessage.Near(asked)));
    }

    internal override void LoadElsewhere(Round round) => Columns.IfAny(
        repliesAsked.Where(sought => !replies.ContainsKey(sought)).ToList(),
        asked => round.Read(RepliesSql, ReadReply, SoughtMessage.Anywhere(asked)));

    internal override void Write(Round round)
    {
        Columns.IfAny(messages, rows => round.Add(
            AddMessagesSql, Columns.Of(rows, m => m.ConversationId.Value), Columns.Of(rows, m => m.Position.Seq),
            Columns.Of(rows, m => m.Position.At.ToDateTimeUtc()), Columns.Of(rows, m => m.Id.Value), Columns.Of(rows, m => m.Sender?.Value),
            Columns.Of(rows, m => m.Type), Columns.Of(rows, m => m.Draft.Text), Columns.Of(rows, m => m.Draft.Metadata),
            Columns.Of(rows, m => m.Mentions), Columns.Of(rows, m => m.Draft.ClientMessageId), Columns.Of(rows, m => m.Reply?.Seq),
            Columns.Of(rows, m => m.Location), Columns.Of(rows, m => m.Reference)));
        Columns.IfAny(messages.FindAll(m => m.Key is not null), keyed => round.Add(
            AddKeysSql, Columns.Of(keyed, m => m.Sender?.Value ?? ""), Columns.Of(keyed, m => m.ConversationId.Value),
            Columns.Of(keyed, m => m.Draft.ClientMessageId), Columns.Of(keyed, m => m.Position.Seq),
            Columns.Of(keyed, m => m.Position.At.ToDateTimeUtc()), Columns.Of(keyed, m => m.Fingerprint)));
        Columns.IfAny(messages.FindAll(m => m.Draft.Type is MessageType.System), system => round.Add(
            AddGapsSql, Columns.Of(system, m => m.ConversationId.Value), Columns.Of(system, m => m.Position.Seq)));
        Columns.IfAny(messages.SelectMany(m => m.Counted.Select(user => (Message: m, User: user))).ToList(), counted => round.Add(
            MessagePart.AddMentionsSql, Columns.Of(counted, c => c.Message.ConversationId.Value), Columns.Of(counted, c => c.User.Value),
            Columns.Of(counted, c => c.Message.Position.Seq)));
        foreach (var message in messages.Where(m => m.Files.Count > 0))
            round.Add(AttachmentStore.ClaimSql, message.ConversationId.Value, message.Position.Seq,
                Columns.Of(message.Files, file => file.Id.Value));
    }

    private void ReadReply(DbDataReader reader)
    {
        var user = reader.GetString(1) is { Length: > 0 } id ? new UserId(id) : (UserId?)null;
        var reply = new ReplyView(
            new MessageId(reader.GetGuid(2)), reader.GetInt64(3), reader.IsDBNull(4) ? null : new UserId(reader.GetString(4)),
            reader.IsDBNull(5) ? null : reader.GetString(5), reader.GetBoolean(6));
        replies[new SoughtMessage(new ConversationId(reader.GetGuid(0)), user, reply.Id)] = reply;
    }
}
