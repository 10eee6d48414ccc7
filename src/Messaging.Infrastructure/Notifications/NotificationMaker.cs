using Dapper;
using Messaging.Application.Common;
using Messaging.Application.Events;
using Messaging.Application.Messages;
using Messaging.Application.Notifications;
using Messaging.Application.Participants;
using Messaging.Application.Presence;
using Messaging.Application.Push;
using Messaging.Domain.Messages;
using Messaging.Domain.Notifications;
using Messaging.Infrastructure.Presence;
using NodaTime;
using Npgsql;

namespace Messaging.Infrastructure.Notifications;

/// <summary>
/// Makes the notifications of new messages, and of mentions that an edit adds: reads whom they may concern, has <see cref="Recipient"/>
/// decide, and writes the entries of all of them.
/// </summary>
public sealed class NotificationMaker(
    LivePresence presence, IEnumerable<IPushProvider> providers, OutboxSignal told, PushSignal pushes)
{
    /// <summary>Entries that are written in one statement.</summary>
    private const int AtOnce = 1_000;

    private const int MostEntries = 5_000;

    /// <summary>Messages times recipients: what is held in memory at once.</summary>
    private const int MostHeard = 1_000_000;

    /// <summary>What an event does not say.</summary>
    private const int LargeGroup = 300;

    // What follows reads few rows by key, whatever the planner would guess before it knows how full the tables are.
    private const string SessionSql =
        """
        SET LOCAL enable_seqscan = off;
        SET LOCAL jit = off
        """;

    // The messages that are still there; who is mentioned stands in the message itself. Index: pk_messages.
    private const string MessagesSql =
        """
        SELECT k.conversation_id, k.seq, m.id, m.sender_id, m.mentions
        FROM unnest(@Conversations::uuid[], @Seqs::bigint[], @Times::timestamptz[]) AS k (conversation_id, seq, created_at)
        CROSS JOIN LATERAL (
            SELECT m.id, m.sender_id, m.mentions
            FROM messages m
            WHERE m.conversation_id = k.conversation_id AND m.seq = k.seq AND m.created_at = k.created_at
                AND m.type <> 'system' AND m.deleted_at IS NULL
            LIMIT 1
        ) m
        """;

    // Long: a column for each of what decides. Who takes part, and what each of them wants. Index: pk_participants, pk_message_hidden.
    private const string PeopleSql =
        $"""
        SELECT p.conversation_id, p.user_id, {VisibilitySql.Start} AS start_seq, p.last_read_seq,
            coalesce(p.settings ->> 'notificationLevel', 'all') AS level, {OwnStateSql.Muted} AS is_muted,
            coalesce((p.settings ->> 'desktop')::boolean, true) AS desktop,
            coalesce((p.settings ->> 'mobile')::boolean, true) AS mobile,
            coalesce((p.settings ->> 'sound')::boolean, true) AS sound,
            CASE WHEN p.has_gaps THEN ARRAY(
                SELECT h.seq
                FROM message_hidden h
                WHERE h.conversation_id = p.conversation_id AND h.user_id = p.user_id AND h.seq BETWEEN k.first_seq AND k.last_seq)
            END AS hidden_seqs
        FROM (
            SELECT conversation_id, min(seq) AS first_seq, max(seq) AS last_seq
            FROM unnest(@Conversations::uuid[], @Seqs::bigint[]) AS u (conversation_id, seq)
            GROUP BY conversation_id
        ) k
        JOIN participants p ON p.conversation_id = k.conversation_id AND {VisibilitySql.Hears}
        """;

    // Few have blocked anybody. Index: pk_blocks.
    private const string BlockersSql =
        """
        SELECT k.user_id
        FROM unnest(@Users::text[]) AS k (user_id)
        WHERE EXISTS (SELECT FROM blocks b WHERE b.user_id = k.user_id)
        """;

    // Index: pk_blocks.
    private const string BlocksSql =
        """
        SELECT b.user_id, b.blocked_id
        FROM unnest(@Users::text[], @Senders::text[]) AS k (user_id, sender_id)
        JOIN blocks b ON b.user_id = k.user_id AND b.blocked_id = k.sender_id
        """;

    // Index: pk_users, pk_devices.
    private const string TargetsSql =
        $"""
        SELECT u.id, u.quiet_hours, now() AS at,
            ARRAY(
                SELECT DISTINCT d.platform
                FROM devices d
                WHERE d.user_id = u.id AND d.platform = ANY (@Platforms::text[]) AND {DeviceSql.IsGood}) AS platforms
        FROM users u
        WHERE u.id = ANY (@Users::text[])
        """;

    // Long: an upsert of many columns with its events. An unread entry is raised again; what it counts of that was read by then does not
    // count when it is read. Of an entry without an end the newest thousand seqs are kept. A mention has one entry, read or not. There is
    // an event of each new entry, and of one that is raised again where a connection of the user can hear it. Index:
    // uq_notifications_open, ix_notifications_place.
    private const string WriteSql =
        $"""
        WITH written AS (
            INSERT INTO notifications AS n (id, user_id, type, conversation_id, mention_seq, seqs, seq, sent_at, message_id, to_web,
                to_mobile, sound, delivery, push_at, created_at, raised_at, read_at)
            SELECT e.id, e.user_id, CASE WHEN e.mention_seq > 0 THEN 'mention' ELSE 'message' END, e.conversation_id, e.mention_seq,
                e.seqs::int8multirange, e.seq, e.sent_at, e.message_id, e.to_web, e.to_mobile, e.sound,
                CASE WHEN e.push_at IS NULL THEN 'none' ELSE 'pending' END, e.push_at, now(), now(), CASE WHEN e.is_read THEN now() END
            FROM unnest(@Ids::uuid[], @Users::text[], @Conversations::uuid[], @MentionSeqs::bigint[], @Counted::text[], @Seqs::bigint[],
                @Times::timestamptz[], @Messages::uuid[], @ToWeb::boolean[], @ToMobile::boolean[], @Sound::boolean[],
                @PushAt::timestamptz[], @Read::boolean[])
                AS e (id, user_id, conversation_id, mention_seq, seqs, seq, sent_at, message_id, to_web, to_mobile, sound, push_at, is_read)
            WHERE e.mention_seq = 0 OR NOT EXISTS (
                SELECT FROM notifications o
                WHERE o.conversation_id = e.conversation_id AND o.user_id = e.user_id AND o.mention_seq = e.mention_seq)
            ON CONFLICT (conversation_id, user_id, mention_seq) WHERE read_at IS NULL DO UPDATE
            SET seqs = (n.seqs + excluded.seqs) * int8multirange(int8range(excluded.seq - 999, NULL)),
                seq = excluded.seq, sent_at = excluded.sent_at, message_id = excluded.message_id, to_web = excluded.to_web,
                to_mobile = excluded.to_mobile, sound = excluded.sound, delivery = excluded.delivery, push_at = excluded.push_at,
                raised_at = excluded.raised_at
            WHERE n.seq < excluded.seq
            RETURNING n.id, n.conversation_id, n.user_id, n.delivery, n.xmax = 0 AS is_new
        ),
        announced AS (
            INSERT INTO outbox (occurred_at, conversation_id, user_id, type, payload)
            SELECT clock_timestamp(), w.conversation_id, w.user_id, '{NotificationRaised.Name}',
                jsonb_build_object('notificationId', w.id)
            FROM written w
            WHERE w.is_new OR w.user_id = ANY (@Away::text[])
        )
        SELECT count(*)::integer AS entries, (count(*) FILTER (WHERE delivery = 'pending'))::integer AS pushes
        FROM written
        """;

    private readonly IPushProvider[] providers = [.. providers.Where(provider => provider.IsConfigured)];

    /// <summary>Whether any of the rows makes a notification, or one pointless.</summary>
    public static bool IsConcernedBy(IReadOnlyList<FeedRow> rows) => !MessagesToNotify.Of(rows).IsEmpty || !WhatIsGone.Of(rows).IsEmpty;

    /// <summary>
    /// How many rows from the first on are dealt with in one transaction, so that it is short however large the groups are: as many as
    /// have about <see cref="MostEntries"/> entries to be made or taken back, at least one.
    /// </summary>
    public static int CountOf(IReadOnlyList<FeedRow> rows)
    {
        var (entries, heard) = (0L, 0L);
        var places = new HashSet<Guid?>();
        for (var i = 0; i < rows.Count; i++)
        {
            var all = rows[i].Type switch
            {
                MessageSent.Name => rows[i].Values<MessageValues>().RecipientCount,
                MessageEdited.Name or MessageDeleted.Name => LargeGroup,
                _ => 1,
            };
            heard += all;
            entries += EntriesOf(rows[i], all, isFirst: places.Add(rows[i].ConversationId));
            if (i > 0 && (entries > MostEntries || heard > MostHeard))
                return i;
        }
        return rows.Count;
    }

    // Messages of a conversation share the entry of each recipient; a mention has one of its own for each who is mentioned.
    private static int EntriesOf(FeedRow row, int all, bool isFirst) => row.Type switch
    {
        MessageSent.Name => isFirst ? all : row.Values<MessageValues>().MentionCount,
        MessageEdited.Name when row.Values<MessageValues>() is { Mentioned: null, Unmentioned: false } => 0,
        MessageEdited.Name => (isFirst ? all : all / 10) + row.Values<MessageValues>().MentionCount,
        MessageDeleted.Name when !isFirst => all / 10,
        _ => all,
    };

    /// <summary>
    /// Writes what the rows of the feed lead to, within the connection's transaction; what it returns wakes, after the commit, who goes on
    /// with it.
    /// </summary>
    public async Task<Action> WriteAsync(NpgsqlConnection connection, IReadOnlyList<FeedRow> rows, CancellationToken ct)
    {
        await connection.ExecuteAsync(new CommandDefinition(SessionSql, cancellationToken: ct));
        // First what is gone: a message after its entry was read makes a new one.
        await WhatIsGone.Of(rows).WithdrawAsync(connection, ct);
        var messages = MessagesToNotify.Of(rows);
        var written = messages.IsEmpty ? new Written(0, 0) : await MakeAsync(connection, messages, ct);
        return () =>
        {
            if (written.Entries > 0)
                told.Raise();
            if (written.Pushes > 0)
                pushes.Raise();
        };
    }

    private async Task<Written> MakeAsync(NpgsqlConnection connection, MessagesToNotify asked, CancellationToken ct)
    {
        var (messages, people) = await ReadAsync(connection, asked, ct);
        var connected = presence.Connected(people.Select(person => person.UserId));
        var heard = people.Select(person => Hear(person, messages[person.ConversationId], IsLooking(connected, person)))
            .Where(one => one.What.Count > 0).ToList();
        if (heard.Count == 0)
            return new Written(0, 0);
        await LeaveOutBlockedAsync(connection, heard, ct);
        var entries = heard.SelectMany(one => NotificationEntry.Of(one.To, one.What)).ToList();
        var planOf = await PlanAsync(connection, entries, connected, ct);
        var away = connected.Where(pair => pair.Value is PresenceStatus.Away).Select(pair => pair.Key).ToArray();
        var sum = new Written(0, 0);
        foreach (var some in entries.Chunk(AtOnce))
        {
            var command = new CommandDefinition(WriteSql, ParametersOf(some, planOf, away), cancellationToken: ct);
            sum += await connection.QuerySingleAsync<Written>(command);
        }
        // Whom an edit mentions has counted the message among the others until now.
        await WhatIsGone.CountElsewhereAsync(connection, [.. entries.Where(entry => entry.Newest.IsEdited)], ct);
        return sum;
    }

    private static Heard Hear(Recipient person, IEnumerable<NotifyingMessage> messages, bool isLooking) => new(
        person,
        [
            .. messages.Select(message => (message, person.HowConcerned(message, isLooking)))
                .Where(one => one.Item2 is not Concern.None),
        ]);

    private static async Task<(ILookup<Guid, NotifyingMessage> Messages, List<Recipient> People)> ReadAsync(
        NpgsqlConnection connection, MessagesToNotify asked, CancellationToken ct)
    {
        await using var grid = await connection.QueryMultipleAsync(
            new CommandDefinition(
                $"{MessagesSql};{PeopleSql}", new { asked.Conversations, asked.Seqs, asked.Times }, cancellationToken: ct));
        var found = await grid.ReadAsync<MessageRow>();
        var messages = found.Select(row => asked.As(row.ConversationId, row.Seq, row.Id, row.SenderId, row.Mentions ?? []))
            .OrderBy(message => message.Seq).ToLookup(message => message.ConversationId);
        return (messages, (await grid.ReadAsync<Recipient>()).AsList());
    }

    private static async Task LeaveOutBlockedAsync(NpgsqlConnection connection, List<Heard> all, CancellationToken ct)
    {
        var users = new { Users = all.Select(one => one.To.UserId).Distinct().ToArray() };
        var command = new CommandDefinition(BlockersSql, users, cancellationToken: ct);
        var blockers = (await connection.QueryAsync<string>(command)).ToHashSet();
        if (blockers.Count == 0)
            return;
        var concerned = all.Where(one => blockers.Contains(one.To.UserId)).ToList();
        var pairs = concerned.SelectMany(one => one.What.Select(what => new Block(one.To.UserId, what.Message.SenderId ?? "")))
            .Distinct().ToList();
        var parameters = new
        {
            Users = pairs.Select(pair => pair.UserId).ToArray(),
            Senders = pairs.Select(pair => pair.BlockedId).ToArray(),
        };
        var blocks = (await connection.QueryAsync<Block>(new CommandDefinition(BlocksSql, parameters, cancellationToken: ct))).ToHashSet();
        concerned.ForEach(one => one.What.RemoveAll(what => blocks.Contains(new Block(one.To.UserId, what.Message.SenderId ?? ""))));
    }

    private async Task<Func<NotificationEntry, PushPlan?>> PlanAsync(
        NpgsqlConnection connection, List<NotificationEntry> entries, IReadOnlyDictionary<string, PresenceStatus> connected,
        CancellationToken ct)
    {
        if (providers.Length == 0)
            return _ => null;
        var parameters = new
        {
            Users = entries.Select(entry => entry.To.UserId).Distinct().ToArray(),
            Platforms = providers.SelectMany(provider => provider.Platforms).Distinct(StringComparer.Ordinal).ToArray(),
        };
        var rows = await connection.QueryAsync<TargetRow>(new CommandDefinition(TargetsSql, parameters, cancellationToken: ct));
        var targets = rows.ToDictionary(row => row.Id);
        var withoutDevice = Array.Exists(providers, provider => provider.Platforms.Count == 0);
        return entry => targets.TryGetValue(entry.To.UserId, out var row)
            ? entry.PlanOf(row.ToTarget(), IsLooking(connected, entry.To), withoutDevice, row.At)
            : null;
    }

    private static bool IsLooking(IReadOnlyDictionary<string, PresenceStatus> connected, Recipient person) =>
        connected.TryGetValue(person.UserId, out var status) && status is PresenceStatus.Online;

    private static object ParametersOf(
        IReadOnlyCollection<NotificationEntry> entries, Func<NotificationEntry, PushPlan?> planOf, string[] away)
    {
        var plans = entries.Select(planOf).ToList();
        return new
        {
            Ids = Of(_ => Guid.CreateVersion7()),
            Users = Of(entry => entry.To.UserId),
            Conversations = Of(entry => entry.To.ConversationId),
            MentionSeqs = Of(entry => entry.MentionSeq),
            Counted = Of(entry => entry.Seqs()),
            Seqs = Of(entry => entry.Newest.Seq),
            Times = Of(entry => entry.Newest.At.ToDateTimeUtc()),
            Messages = Of(entry => entry.Newest.Id),
            ToWeb = plans.Select(plan => plan?.ToWeb ?? false).ToArray(),
            ToMobile = plans.Select(plan => plan?.ToMobile ?? false).ToArray(),
            Sound = Of(entry => entry.To.Sound),
            PushAt = plans.Select(plan => plan?.At.ToDateTimeUtc()).ToArray(),
            Read = Of(entry => entry.IsRead),
            Away = away,
        };

        T[] Of<T>(Func<NotificationEntry, T> of) => [.. entries.Select(of)];
    }

    private sealed record MessageRow(Guid ConversationId, long Seq, Guid Id, string? SenderId, string[]? Mentions);

    private sealed record Heard(Recipient To, List<(NotifyingMessage Message, Concern Concern)> What);

    private sealed record Block(string UserId, string BlockedId);

    private sealed record Written(int Entries, int Pushes)
    {
        public static Written operator +(Written one, Written other) =>
            new(one.Entries + other.Entries, one.Pushes + other.Pushes);
    }

    private sealed record TargetRow(string Id, JsonText? QuietHours, Instant At, string[] Platforms)
    {
        public PushTarget ToTarget() => new(Platforms, MessagingJson.Read<QuietHoursView>(QuietHours));
    }
}
