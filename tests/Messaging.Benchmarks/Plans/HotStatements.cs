using System.Globalization;
using Messaging.Application.Attachments;
using Messaging.Application.Contacts;
using Messaging.Application.Conversations;
using Messaging.Application.Events;
using Messaging.Application.Messages;
using Messaging.Application.Participants;
using Messaging.Application.Reactions;
using Messaging.Application.Receipts;
using Messaging.Application.Writing;
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
    const NpgsqlDbType Time = NpgsqlDbType.TimestampTz;

    /// <summary>For one member of a conversation, and the conversations of the busiest user.</summary>
    public static IEnumerable<HotStatement> Of(Guid conversation, string user, long seq, Guid message) =>
    [
        .. Sends(conversation, user, message),
        new("Badge of somebody in 10,000 conversations", Statements.Of<GetUnreadHandler>("TotalsSql"), Background: false,
            ("UserId", Text, Shape.UserId(Shape.Busiest))),
        .. History(conversation, user, seq - 1_000),
        new(
            "One message by its id", Statements.Of<MessageLookupStore>("FindSql"), Background: false,
            ("MessageId", Uuid, message), ("From", NpgsqlDbType.TimestampTz, TimeOf(message).AddMinutes(-5)),
            ("To", NpgsqlDbType.TimestampTz, TimeOf(message).AddMinutes(5)),
            ("ConversationId", Uuid, conversation), ("UserId", Text, user)),
        .. Changes(conversation, user, seq, message),
        .. Reactions(conversation, user, seq, message),
        .. Receipts(conversation, user, seq),
        Inbox("Inbox of an ordinary user", InboxBenchmark.AllSql, user),
        Inbox("Inbox of somebody in 10,000 conversations", InboxBenchmark.AllSql, Shape.UserId(Shape.Busiest)),
        Inbox("Inbox of somebody in 10,000 conversations, all active today", InboxBenchmark.PlacesSql, Desk.UserId),
        Inbox("Inbox of somebody in 10,000 conversations, unread only", InboxBenchmark.UnreadSql, Shape.UserId(Shape.Busiest)),
        Inbox("Inbox of somebody in 10,000 conversations, starred only", Statements.Of<ListInboxHandler>("StarredSql"),
            Shape.UserId(Shape.Busiest)),
        Inbox("Inbox of somebody in 10,000 conversations, archived only", Statements.Of<ListInboxHandler>("ArchivedSql"),
            Shape.UserId(Shape.Busiest)),
        new("Inbox: participants", InboxBenchmark.ParticipantsSql, Background: false,
            ("ConversationIds", NpgsqlDbType.Array | Uuid, new[] { conversation }),
            ("UserId", Text, user), ("Receipts", NpgsqlDbType.Boolean, true)),
        new("One conversation", Statements.Of<ConversationViewStore>("OneSql"), Background: false, ("ConversationId", Uuid, conversation),
            ("UserId", Text, user)),
        .. Feed(conversation, user),
        .. Told(conversation, user, seq, message),
    ];

    // One message of one sender; a batch has the same plans with more rows.
    static IEnumerable<HotStatement> Sends(Guid conversation, string user, Guid message)
    {
        var now = DateTime.UtcNow;
        var today = now.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        var (id, sender, seq, at) = (Array(Uuid, conversation), Array(Text, user), Array(Bigint, 1_000_000L), Array(Time, TextOf(now)));
        var (none, json) = (Array(Text, "NULL"), Array(Text, "{}"));
        var reads = new (string Name, string Constant, (string, NpgsqlDbType, object?)[] Values)[]
        {
            ("Read: who wrote the newest that is marked", "NewestSenderSql", [id, sender, seq]),
            ("Read: the pointers, written", "SaveSql", [id, sender, seq, seq, Array(NpgsqlDbType.Boolean, true), at]),
            ("Read: its mark", "AddReadMarksSql", [id, sender, seq, at]),
            ("Read: what is unread then", "CountsSql", [id, sender]),
        }.Select(part => Positional(part.Name, Statements.Of<PointerPart>(part.Constant), part.Values));
        return reads.Concat(new (string Name, string Constant, (string, NpgsqlDbType, object?)[] Values)[]
        {
            ("Send: the lock", "TryLockSql", [id]),
            ("Send: its event", "AddEventsSql", [at, id, seq, seq, sender, Array(Text, MessageSent.Name), json]),
            ("Read: the lock of one's place", "TryLockOwnSql", [id, sender]),
        }.Select(part => Positional(part.Name, Statements.Of<ChangeSet>(part.Constant), part.Values)))
            .Concat(new (string Name, string Constant, (string, NpgsqlDbType, object?)[] Values)[]
        {
            ("Send: the conversation", "LoadSql", [id]),
            ("Send: the conversation's row", "SaveSql",
                [id, seq, seq, at, at, Array(NpgsqlDbType.Date, today), Array(Uuid, message), Array(Text, "text"), sender,
                    Array(Text, "hello")]),
            ("Send: the places in large inboxes", "SaveInboxPlacesSql", [id, at]),
        }.Select(part => Positional(part.Name, Statements.Of<ConversationPart>(part.Constant), part.Values)))
            .Concat(new (string Name, string Constant, (string, NpgsqlDbType, object?)[] Values)[]
        {
            ("Send: the lock of the sender's place", "TryLockSql", [id, sender]),
            ("Send: the lock of the members' places, before the first of a day", "TryLockMembersSql", [id]),
            ("Send: who they are", "MembersSql", [id]),
            ("Send: the sender's place", "LoadSql", [id, sender, Array(NpgsqlDbType.Boolean, true), Array(NpgsqlDbType.Boolean, false)]),
            ("Send: who of the mentioned takes part", "PresentSql", [id, sender]),
        }.Select(part => Positional(part.Name, Statements.Of<MembershipPart>(part.Constant), part.Values)))
            .Concat(new (string Name, string Constant, (string, NpgsqlDbType, object?)[] Values)[]
        {
            ("Send: the sender's place, written", "SaveSendersSql", [id, sender, seq, at, Array(NpgsqlDbType.Date, today)]),
            ("Send: the first of a day", "SaveDaysSql", [id, Array(NpgsqlDbType.Date, today)]),
        }.Select(part => Positional(part.Name, Statements.Of<MembershipWritePart>(part.Constant), part.Values)))
            .Concat(new (string Name, string Constant, (string, NpgsqlDbType, object?)[] Values)[]
        {
            ("Send: the key", "KeysSql", [id, sender, Array(Text, "explained")]),
            ("Send: what it replies to", "RepliesSql", Sought(conversation, user, message)),
            ("Send: the message", "AddMessagesSql",
                [
                    id, seq, at, Array(Uuid, Guid.CreateVersion7()), sender, Array(Text, "text"), Array(Text, "hello"), none, none,
                    Array(Text, "explained"), Array(Bigint, "NULL"), none, none,
                ]),
            ("Send: its key", "AddKeysSql", [sender, id, Array(Text, "explained"), seq, at, Array(NpgsqlDbType.Bytea, "00")]),
        }.Select(part => Positional(part.Name, Statements.Of<SendPart>(part.Constant), part.Values)));
    }

    static string TextOf(DateTime time) => time.ToString("O", CultureInfo.InvariantCulture);

    static IEnumerable<HotStatement> History(Guid conversation, string user, long upto) =>
        new (string Name, string Sql)[]
        {
            ("History: the page's bounds and pins", Statements.Details.PageSql.Split(';')[0]),
            ("History: the messages, 1,000 deep", Statements.Of<MessageReader>("PageMessagesSql")),
            ("History: the attachments", Statements.Of<AttachmentDetail>("PageSql")),
            ("History: the reactions", Statements.Of<ReactionDetail>("PageSql")),
            ("History: the pointers of all members", Statements.Of<ReceiptDetail>("PageSql")),
        }.Select(part => new HotStatement(
            part.Name, part.Sql, Background: false,
            ("ConversationId", Uuid, conversation), ("UserId", Text, user), ("Upto", Bigint, upto), ("After", Bigint, null),
            ("Limit", NpgsqlDbType.Integer, HistoryBenchmark.PageSize), ("Receipts", NpgsqlDbType.Boolean, true)));

    static IEnumerable<HotStatement> Changes(Guid conversation, string user, long seq, Guid message) =>
    [
        .. new (string Name, string Constant, (string, NpgsqlDbType, object?)[] Values)[]
        {
            ("Change of a message: the message", "LoadSql", Sought(conversation, user, message)),
            ("Change of a message: what it says", "LoadBodiesSql", Sought(conversation, user, message)),
            ("Change of a message: the write", "SaveSql",
                [
                    Array(Uuid, conversation), Array(Bigint, seq), Array(Time, TextOf(TimeOf(message))), Array(Text, "hello"),
                    Array(Text, "NULL"),
                    Array(Text, user), Array(Text, "NULL"), Array(Text, "NULL"), Array(NpgsqlDbType.Integer, 1),
                    Array(Text, TextOf(DateTime.UtcNow)),
                    Array(Text, "NULL"), Array(Text, "NULL"), Array(Text, "NULL"), Array(Bigint, 2L),
                ]),
            ("Change of a message: who is mentioned no more", "RemoveMentionsSql",
                [Array(Uuid, conversation), Array(Text, user), Array(Bigint, seq)]),
        }.Select(part => Positional(part.Name, Statements.Of<MessagePart>(part.Constant), part.Values)),
        Positional("Change of a message: all who take part", Statements.Of<MembershipPart>("LoadMembersSql"), [Array(Uuid, conversation)]),
        new(
            "Replies to a message", Statements.Of<ListRepliesHandler>("PageSql"), Background: false,
            ("ConversationId", Uuid, conversation), ("Seq", Bigint, seq), ("CreatedAt", NpgsqlDbType.TimestampTz, TimeOf(message)),
            ("UserId", Text, user),
            ("After", Bigint, 0L), ("Take", NpgsqlDbType.Integer, 31)),
    ];

    static IEnumerable<HotStatement> Reactions(Guid conversation, string user, long seq, Guid message)
    {
        var (id, by, at, emoji, sought) = (Array(Uuid, conversation), Array(Text, user), Array(Time, TextOf(DateTime.UtcNow)),
            Array(Text, ":explained:"), Sought(conversation, user, message));
        return
        [
            .. new (string Name, string Constant, (string, NpgsqlDbType, object?)[] Values)[]
            {
                ("Reaction: what is there", "LoadGroupsSql", sought),
                ("Reaction: one's own", "LoadSql", sought),
                ("Reaction: one more", "AddSql", [id, Array(Bigint, seq), by, emoji, at]),
                ("Reaction: one less", "RemoveSql", [id, Array(Bigint, seq), by, emoji]),
                ("Reaction: what is shown", "SaveGroupsSql", [id, Array(Bigint, seq), emoji, Array(NpgsqlDbType.Integer, 1), by, at]),
                ("Reaction: what is shown no more", "RemoveGroupsSql", [id, Array(Bigint, seq), emoji]),
            }.Select(part => Positional(part.Name, Statements.Of<ReactionPart>(part.Constant), part.Values)),
            new(
                "Reactions: who has reacted", Statements.Of<ReactionStore>("PageSql"), Background: false,
                ("ConversationId", Uuid, conversation), ("UserId", Text, user), ("Seq", Bigint, seq), ("Emoji", Text, ":explained:"),
                ("AfterUser", Text, ""), ("AfterEmoji", Text, ""), ("Take", NpgsqlDbType.Integer, 31)),
        ];
    }

    static (string, NpgsqlDbType, object?)[] Sought(Guid conversation, string user, Guid message) =>
    [
        Array(Uuid, conversation), Array(Text, user), Array(Uuid, message), Array(Time, TextOf(TimeOf(message).AddMinutes(-5))),
        Array(Time, TextOf(TimeOf(message).AddMinutes(5))),
    ];

    static (string, NpgsqlDbType, object?) Array(NpgsqlDbType type, object value) => ("", NpgsqlDbType.Array | type, new[] { value });

    static HotStatement Positional(string name, string sql, (string, NpgsqlDbType, object?)[] values) =>
        new(name, sql, Background: false, [.. values.Select((value, i) => ($"{i + 1}", value.Item2, value.Item3))]);

    static IEnumerable<HotStatement> Receipts(Guid conversation, string user, long seq) =>
    [
        .. new (string Name, string Constant)[] { ("Receipts: the counts", "CountsSql"), ("Receipts: a page", "PageSql") }.Select(
            part => new HotStatement(
            part.Name, Statements.Of<ListReceiptsHandler>(part.Constant), Background: false,
            ("ConversationId", Uuid, conversation), ("UserId", Text, user), ("Seq", Bigint, seq), ("SenderId", Text, user),
            ("After", Text, ""),
            ("Take", NpgsqlDbType.Integer, 31), ("Receipts", NpgsqlDbType.Boolean, true))),
    ];

    static HotStatement Inbox(string name, string sql, string user) =>
        new(name, sql, Background: false, [.. InboxBenchmark.Parameters(user).Select(p => (p.ParameterName, p.NpgsqlDbType, p.Value))]);

    static IEnumerable<HotStatement> Feed(Guid conversation, string user)
    {
        var tail = typeof(OutboxMover).Assembly.GetType("Messaging.Infrastructure.Events.FeedTail", throwOnError: true)!;
        var hearers = typeof(OutboxMover).Assembly.GetType("Messaging.Infrastructure.Events.Hearers", throwOnError: true)!;
        return
        [
            new(
                "Sequencer: a move", Statements.Of<OutboxMover>("MoveSql"), Background: true,
                ("Parts", NpgsqlDbType.Array | NpgsqlDbType.Integer, new[] { 1, 2 }),
                ("From", NpgsqlDbType.TimestampTz, DateTime.UnixEpoch),
                ("Limit", Bigint, 1_000L), ("Name", Text, Sequencer.LeaseName), ("Holder", Text, "explained"), ("Fencing", Bigint, 0L),
                ("Channel", Text, "explained")),
            new("Feed: what is new", Statements.Of(tail, "NextSql"), Background: true, ("After", Bigint, 0L), ("Limit", Bigint, 1_000L)),
            new("Feed: where those take part who begin to listen", Statements.Of(hearers, "PlacesSql"), Background: true,
                ("UserIds", NpgsqlDbType.Array | Text, new[] { user }), ("Limit", NpgsqlDbType.Integer, 20_001)),
            new("Feed: who takes part where somebody is new", Statements.Of(hearers, "MembersSql"), Background: true,
                ("ConversationIds", NpgsqlDbType.Array | Uuid, new[] { conversation })),
            new("Feed: who hears it", Statements.Of(tail, "HearingSql"), Background: true,
                ("HeardIn", NpgsqlDbType.Array | Uuid, new[] { conversation }), ("HeardBy", NpgsqlDbType.Array | Text, new[] { user })),
            new("Feed: who hears it, asked for all", Statements.Of(tail, "HearingOfAllSql"), Background: true,
                ("HeardIn", NpgsqlDbType.Array | Uuid, new[] { conversation })),
            new(
                "Feed: who has deleted it for oneself", Statements.Of(tail, "HiddenSql"), Background: true,
                ("ConversationIds", NpgsqlDbType.Array | Uuid, new[] { conversation }),
                ("UserIds", NpgsqlDbType.Array | Text, new[] { user }),
                ("Seqs", NpgsqlDbType.Array | Bigint, new[] { 1L })),
            new(
                "Resume: what one user missed", Statements.Of<EventStore>("OfUserSql"), Background: false,
                ("After", Bigint, 0L), ("UserId", Text, user), ("Limit", NpgsqlDbType.Integer, 101),
                ("Beyond", NpgsqlDbType.Integer, 0)),
            new(
                "Resume: what a service missed", Statements.Of<EventStore>("OfAllSql"), Background: false,
                ("After", Bigint, 0L), ("Limit", NpgsqlDbType.Integer, 101)),
        ];
    }

    // What events tell, of one row each; a page has the same plans with more keys.
    static IEnumerable<HotStatement> Told(Guid conversation, string user, long seq, Guid message)
    {
        const NpgsqlDbType array = NpgsqlDbType.Array;
        var (conversations, users, seqs, ids) = (new[] { conversation }, new[] { user }, new[] { seq }, new[] { message });
        var times = new[] { TextOf(TimeOf(message)) };
        return new (string Name, Type Source, string Constant)[]
        {
            ("Told: messages", typeof(MessageReader), "MessagesSql"),
            ("Told: their attachments", typeof(AttachmentDetail), "PlacesSql"),
            ("Told: their reactions", typeof(ReactionDetail), "PlacesSql"),
            ("Told: what stands around them", typeof(MessageEventSource), "AroundSql"),
            ("Told: which marked ones are deleted", typeof(MarkEventSource), "DeletedSql"),
            ("Told: conversations", typeof(ConversationEventSource), "ConversationsSql"),
            ("Told: their people", typeof(ConversationEventSource), "PeopleSql"),
            ("Told: their newest messages", typeof(ConversationEventSource), "NewestSql"),
            ("Told: settings", typeof(SettingsEventSource), "SettingsSql"),
            ("Told: contacts", typeof(ContactEventSource), "ContactsSql"),
            ("Told: requests", typeof(RequestStore), "SomeSql"),
            ("Told: files", typeof(AttachmentEventSource), "ReadySql"),
        }.Select(part => new HotStatement(
            part.Name, Statements.Of(part.Source, part.Constant), Background: true,
            ("ConversationIds", array | Uuid, conversations), ("Seqs", array | Bigint, seqs),
            ("Times", array | NpgsqlDbType.TimestampTz, times),
            ("UserId", Text, null), ("Reader", Text, user), ("Receipts", NpgsqlDbType.Boolean, true),
            ("MarkedConversations", array | Uuid, conversations), ("MarkedSeqs", array | Bigint, seqs),
            ("ToldConversations", array | Uuid, conversations), ("PeopleConversations", array | Uuid, conversations),
            ("People", array | Text, users),
            ("NewestConversations", array | Uuid, conversations), ("NewestSeqs", array | Bigint, seqs),
            ("NewestTimes", array | NpgsqlDbType.TimestampTz, times), ("NewestViewers", array | Text, users),
            ("OwnConversations", array | Uuid, conversations), ("Owners", array | Text, users),
            ("ContactHearers", array | Text, users), ("Contacts", array | Text, users), ("RequestHearers", array | Text, users),
            ("Requests", array | Uuid, ids), ("ReadyConversations", array | Uuid, conversations), ("Ready", array | Uuid, ids)));
    }

    static DateTime TimeOf(Guid id) => new Domain.Common.MessageId(id).Time.ToDateTimeUtc();
}
