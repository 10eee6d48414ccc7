using Messaging.Application.Conversations;
using Messaging.Application.Events;
using Messaging.Application.Messages;
using Messaging.Application.Reactions;
using Messaging.Application.Receipts;
using Messaging.Benchmarks.Data;
using Messaging.Benchmarks.Reading;
using Messaging.Domain.Messages;
using Messaging.Infrastructure.Events;
using NpgsqlTypes;

namespace Messaging.Benchmarks.Plans;

/// <summary>What runs for every send, page and event.</summary>
static class HotStatements
{
    const NpgsqlDbType Uuid = NpgsqlDbType.Uuid;
    const NpgsqlDbType Text = NpgsqlDbType.Text;
    const NpgsqlDbType Bigint = NpgsqlDbType.Bigint;

    /// <summary>For one member of a conversation, and the conversations of the busiest user.</summary>
    public static IEnumerable<HotStatement> Of(Guid conversation, string user, long seq, Guid message, long version) =>
    [
        new(
            "Send: what it is decided on", Statements.Of<MessageSender>("DecideSql"), Background: false,
            ("ConversationId", Uuid, conversation), ("UserId", Text, user), ("ClientMessageId", Text, "explained"),
            ("Mentions", NpgsqlDbType.Array | Text, Array.Empty<string>())),
        new(
            "Send: the write", Statements.Of<MessageSender>("SendSql"), Background: false,
            ("ConversationId", Uuid, conversation), ("UserId", Text, user), ("SenderIsParticipant", NpgsqlDbType.Boolean, true), ("Version", Bigint, version),
            ("MessageId", Uuid, Guid.CreateVersion7()), ("Type", Text, "text"), ("Text", Text, "hello"), ("Preview", Text, "hello"), ("Metadata", Text, null),
            ("Mentions", NpgsqlDbType.Array | Text, Array.Empty<string>()), ("Mentioned", NpgsqlDbType.Array | Text, Array.Empty<string>()), ("Location", Text, null),
            ("Reference", Text, null), ("ClientMessageId", Text, "explained"), ("Fingerprint", NpgsqlDbType.Bytea, new byte[32]),
            ("ReplyToSeq", Bigint, null), ("Payload", Text, "{}"), ("SentEvent", Text, MessageEvents.New), ("UnreadEvent", Text, MessageEvents.UnreadChanged)),
        new(
            "Read pointer", Statements.Of<MarkReadHandler>("MarkReadSql"), Background: false,
            ("ConversationId", Uuid, conversation), ("UserId", Text, user), ("Seq", Bigint, seq), ("Receipts", NpgsqlDbType.Boolean, true),
            ("ReadEvent", Text, MessageEvents.Read), ("DeliveredEvent", Text, MessageEvents.Delivered), ("UnreadEvent", Text, MessageEvents.UnreadChanged)),
        new("Badge of somebody in 10,000 conversations", Statements.Of<GetUnreadHandler>("TotalsSql"), Background: false, ("UserId", Text, Shape.UserId(Shape.Busiest))),
        .. History(conversation, user, seq - 1_000),
        new(
            "One message by its id", Statements.Of<MessageViewStore>("FindSql"), Background: false,
            ("MessageId", Uuid, message), ("From", NpgsqlDbType.TimestampTz, TimeOf(message).AddMinutes(-5)), ("To", NpgsqlDbType.TimestampTz, TimeOf(message).AddMinutes(5)),
            ("ConversationId", Uuid, conversation), ("UserId", Text, user)),
        .. Changes(conversation, user, seq, message),
        .. Reactions(conversation, user, seq),
        .. Receipts(conversation, user, seq),
        Inbox("Inbox of an ordinary user", InboxBenchmark.AllSql, user),
        Inbox("Inbox of somebody in 10,000 conversations", InboxBenchmark.AllSql, Shape.UserId(Shape.Busiest)),
        Inbox("Inbox of somebody in 10,000 conversations, unread only", InboxBenchmark.UnreadSql, Shape.UserId(Shape.Busiest)),
        Inbox("Inbox of somebody in 10,000 conversations, starred only", Statements.Of<ListInboxHandler>("StarredSql"), Shape.UserId(Shape.Busiest)),
        Inbox("Inbox of somebody in 10,000 conversations, archived only", Statements.Of<ListInboxHandler>("ArchivedSql"), Shape.UserId(Shape.Busiest)),
        new("Inbox: participants", InboxBenchmark.ParticipantsSql, Background: false, ("ConversationIds", NpgsqlDbType.Array | Uuid, new[] { conversation }),
            ("UserId", Text, user), ("Receipts", NpgsqlDbType.Boolean, true)),
        new("One conversation", Statements.Of<ConversationViewStore>("OneSql"), Background: false, ("ConversationId", Uuid, conversation), ("UserId", Text, user)),
        .. Feed(conversation, user),
    ];

    static IEnumerable<HotStatement> History(Guid conversation, string user, long upto) =>
        new (string Name, string Constant)[]
        {
            ("History: the page's bounds and pins", "PageSql"),
            ("History: the messages, 1,000 deep", "MessagesSql"),
            ("History: the attachments", "AttachmentsSql"),
            ("History: the reactions", "ReactionsSql"),
            ("History: the pointers of all members", "PointersSql"),
        }.Select(part => new HotStatement(
            part.Name, Statements.Of<MessageViewStore>(part.Constant), Background: false,
            ("ConversationId", Uuid, conversation), ("UserId", Text, user), ("Upto", Bigint, upto), ("After", Bigint, null),
            ("Limit", NpgsqlDbType.Integer, HistoryBenchmark.PageSize), ("Receipts", NpgsqlDbType.Boolean, true)));

    static IEnumerable<HotStatement> Changes(Guid conversation, string user, long seq, Guid message) =>
    [
        new(
            "Edit: the write", Statements.Of<EditMessageHandler>("SaveSql"), Background: false,
            ("ConversationId", Uuid, conversation), ("Seq", Bigint, seq), ("CreatedAt", NpgsqlDbType.TimestampTz, TimeOf(message)), ("UserId", Text, user),
            ("Now", NpgsqlDbType.TimestampTz, DateTime.UtcNow), ("Text", Text, "hello"), ("Metadata", Text, null), ("Mentions", NpgsqlDbType.Array | Text, new[] { user }),
            ("Uncounted", NpgsqlDbType.Array | Text, new[] { "u00001" }), ("Counted", NpgsqlDbType.Array | Text, new[] { user }), ("Preview", Text, "hello")),
        new(
            "Deletion: the write", Statements.Of<DeleteMessageHandler>("DeleteSql"), Background: false,
            ("ConversationId", Uuid, conversation), ("Seq", Bigint, seq), ("CreatedAt", NpgsqlDbType.TimestampTz, TimeOf(message)), ("UserId", Text, user),
            ("Now", NpgsqlDbType.TimestampTz, DateTime.UtcNow), ("Reason", Text, "user"), ("Deletion", Text, "{}")),
        new(
            "Replies to a message", Statements.Of<ListRepliesHandler>("PageSql"), Background: false,
            ("ConversationId", Uuid, conversation), ("Seq", Bigint, seq), ("CreatedAt", NpgsqlDbType.TimestampTz, TimeOf(message)), ("UserId", Text, user),
            ("After", Bigint, 0L), ("Take", NpgsqlDbType.Integer, 31)),
    ];

    static IEnumerable<HotStatement> Reactions(Guid conversation, string user, long seq) =>
        new (string Name, string Constant)[]
        {
            ("Reaction: what is there", "LoadSql"),
            ("Reaction: one more", "AddSql"),
            ("Reaction: one less", "RemoveSql"),
            ("Reactions: who has reacted", "PageSql"),
        }.Select(part => new HotStatement(
            part.Name, Statements.Of<ReactionStore>(part.Constant), Background: false,
            ("ConversationId", Uuid, conversation), ("UserId", Text, user), ("Seq", Bigint, seq), ("Emoji", Text, ":explained:"),
            ("Now", NpgsqlDbType.TimestampTz, DateTime.UtcNow), ("AfterUser", Text, ""), ("AfterEmoji", Text, ""), ("Take", NpgsqlDbType.Integer, 31)));

    static IEnumerable<HotStatement> Receipts(Guid conversation, string user, long seq) =>
    [
        new(
            "Delivered pointer", Statements.Of<DeliveryStore>("MoveSql"), Background: false,
            ("ConversationId", Uuid, conversation), ("UserId", Text, user), ("Seq", Bigint, seq), ("Receipts", NpgsqlDbType.Boolean, true),
            ("DeliveredEvent", Text, MessageEvents.Delivered)),
        .. new (string Name, string Constant)[] { ("Receipts: the counts", "CountsSql"), ("Receipts: a page", "PageSql") }.Select(part => new HotStatement(
            part.Name, Statements.Of<ListReceiptsHandler>(part.Constant), Background: false,
            ("ConversationId", Uuid, conversation), ("UserId", Text, user), ("Seq", Bigint, seq), ("SenderId", Text, user), ("After", Text, ""),
            ("Take", NpgsqlDbType.Integer, 31), ("Receipts", NpgsqlDbType.Boolean, true))),
    ];

    static HotStatement Inbox(string name, string sql, string user) =>
        new(name, sql, Background: false, [.. InboxBenchmark.Parameters(user).Select(p => (p.ParameterName, p.NpgsqlDbType, p.Value))]);

    static IEnumerable<HotStatement> Feed(Guid conversation, string user)
    {
        var tail = typeof(OutboxMover).Assembly.GetType("Messaging.Infrastructure.Events.FeedTail", throwOnError: true)!;
        return
        [
            new(
                "Sequencer: a move", Statements.Of<OutboxMover>("MoveSql"), Background: true,
                ("Name", Text, Sequencer.LeaseName), ("Holder", Text, "explained"), ("Fencing", Bigint, 0L), ("Limit", Bigint, 1_000L), ("Channel", Text, "explained")),
            new("Feed: what is new", Statements.Of(tail, "NextSql"), Background: true, ("After", Bigint, 0L), ("Limit", Bigint, 1_000L)),
            new("Feed: who hears it", Statements.Of(tail, "MembersSql"), Background: true, ("ConversationIds", NpgsqlDbType.Array | Uuid, new[] { conversation })),
            new(
                "Feed: who has deleted it for oneself", Statements.Of(tail, "HiddenSql"), Background: true,
                ("ConversationIds", NpgsqlDbType.Array | Uuid, new[] { conversation }), ("UserIds", NpgsqlDbType.Array | Text, new[] { user }),
                ("Seqs", NpgsqlDbType.Array | Bigint, new[] { 1L })),
            new(
                "Resume: what one user missed", Statements.Of<EventStore>("OfUserSql"), Background: false,
                ("After", Bigint, 0L), ("UpTo", Bigint, 100_000L), ("UserId", Text, user), ("Limit", NpgsqlDbType.Integer, 101)),
        ];
    }

    static DateTime TimeOf(Guid id) => new Domain.Common.MessageId(id).Time.ToDateTimeUtc();
}
