using Dapper;
using Messaging.Application.Common;
using Messaging.Application.Events;
using Messaging.Application.Messages;
using Messaging.Application.Notifications;
using Messaging.Application.Participants;
using Messaging.Application.Push;
using Messaging.Domain.Messages;
using Messaging.Domain.Notifications;
using Messaging.Infrastructure.Presence;
using NodaTime;
using Npgsql;

namespace Messaging.Infrastructure.Notifications;

/// <summary>
/// Makes the notifications of new messages, those of a page of the feed in one statement, however many users there are: one of each
/// mention, and one of all other messages of a conversation for each user who is not looking.
/// </summary>
public sealed class NotificationMaker(
    LivePresence presence, IEnumerable<IPushProvider> providers, OutboxSignal told, PushSignal pushes)
{
    // What follows reads few rows by key, whatever the planner would guess before it knows how full the tables are.
    private const string SessionSql =
        """
        SET LOCAL enable_seqscan = off;
        SET LOCAL jit = off
        """;

    // The messages that are still there; who is mentioned stands in the message itself. Index: pk_messages.
    private const string Told =
        """
        told AS MATERIALIZED (
            SELECT k.conversation_id, k.seq, k.created_at, m.id, m.sender_id, coalesce(m.mentions, ARRAY[]::text[]) AS mentions
            FROM unnest(@Conversations::uuid[], @Seqs::bigint[], @Times::timestamptz[]) AS k (conversation_id, seq, created_at)
            CROSS JOIN LATERAL (
                SELECT m.id, m.sender_id, m.mentions
                FROM messages m
                WHERE m.conversation_id = k.conversation_id AND m.seq = k.seq AND m.created_at = k.created_at
                    AND m.type <> 'system' AND m.deleted_at IS NULL
                LIMIT 1
            ) m
        )
        """;

    // Who takes part, and what each of them wants. Index: pk_participants.
    private const string People =
        $"""
        looking AS MATERIALIZED (
            SELECT DISTINCT l.user_id
            FROM unnest(@Looking::text[]) AS l (user_id)
        ),
        people AS MATERIALIZED (
            SELECT p.conversation_id, p.user_id, {VisibilitySql.Start} AS start_seq, p.last_read_seq,
                coalesce(p.settings ->> 'notificationLevel', 'all') = 'all' AS hears_all,
                NOT {OwnStateSql.Muted} AND l.user_id IS NULL AS is_reachable,
                coalesce((p.settings ->> 'desktop')::boolean, true) AS desktop,
                coalesce((p.settings ->> 'mobile')::boolean, true) AS mobile,
                coalesce((p.settings ->> 'sound')::boolean, true) AS sound
            FROM (SELECT DISTINCT conversation_id FROM told) c
            JOIN participants p ON p.conversation_id = c.conversation_id AND {VisibilitySql.Hears}
            LEFT JOIN looking l ON l.user_id = p.user_id
            WHERE coalesce(p.settings ->> 'notificationLevel', 'all') <> 'none'
        )
        """;

    // Which messages concern whom. But for mentions, those of who looks, has muted the conversation or has read on concern nobody.
    // Index: pk_blocks.
    private const string Heard =
        """
        heard AS MATERIALIZED (
            SELECT p.conversation_id, p.user_id, p.is_reachable, p.desktop, p.mobile, p.sound, p.last_read_seq,
                t.seq, t.created_at, t.id, i.mentioned
            FROM told t
            JOIN people p ON p.conversation_id = t.conversation_id AND p.user_id IS DISTINCT FROM t.sender_id AND t.seq > p.start_seq
            CROSS JOIN LATERAL (SELECT p.user_id = ANY (t.mentions) OR '@all' = ANY (t.mentions) AS mentioned) i
            WHERE (i.mentioned OR (p.hears_all AND p.is_reachable AND t.seq > p.last_read_seq))
                AND NOT EXISTS (SELECT FROM blocks b WHERE b.user_id = p.user_id AND b.blocked_id = t.sender_id)
        )
        """;

    // One for each mention, listed as read where the user is further; one for all others of a conversation.
    private const string Entries =
        """
        entries AS (
            SELECT h.conversation_id, h.user_id, 'message' AS type, 0::bigint AS mention_seq, min(h.seq) AS first_seq, max(h.seq) AS seq,
                max(h.created_at) AS sent_at, (array_agg(h.id ORDER BY h.seq DESC))[1] AS message_id, count(*)::integer AS count,
                bool_and(h.desktop) AS desktop, bool_and(h.mobile) AS mobile, bool_and(h.sound) AS sound,
                true AS is_reachable, false AS is_read
            FROM heard h
            WHERE NOT h.mentioned
            GROUP BY h.conversation_id, h.user_id
            UNION ALL
            SELECT h.conversation_id, h.user_id, 'mention', h.seq, h.seq, h.seq, h.created_at, h.id, 1, h.desktop, h.mobile, h.sound,
                h.is_reachable, h.seq <= h.last_read_seq
            FROM heard h
            WHERE h.mentioned
        )
        """;

    // Where each is pushed: to those of the user's devices that the user wants and a provider serves. Index: pk_devices.
    private const string Routed =
        """
        routed AS (
            SELECT e.conversation_id, e.user_id, e.type, e.mention_seq, e.first_seq, e.seq, e.sent_at, e.message_id, e.count, e.sound,
                e.is_read, w.to_web, w.to_mobile, e.is_reachable AND NOT e.is_read AND (e.desktop OR e.mobile)
                    AND (w.to_web OR w.to_mobile OR @PushesWithoutDevice) AS is_pushed
            FROM entries e
            CROSS JOIN LATERAL (
                SELECT e.desktop AND coalesce(bool_or(d.platform = 'web'), false) AS to_web,
                    e.mobile AND coalesce(bool_or(d.platform <> 'web'), false) AS to_mobile
                FROM devices d
                WHERE d.user_id = e.user_id AND d.platform = ANY (@Platforms::text[])
            ) w
        )
        """;

    // An unread entry is raised again. Where the user has read beyond it, though the feed has yet to say so, it begins anew. Locked in the
    // order of uq_notifications_open, as where a user marks all as read. Index: uq_notifications_open, pk_participants.
    private const string Written =
        """
        written AS (
            INSERT INTO notifications AS n (user_id, type, conversation_id, mention_seq, first_seq, seq, sent_at, message_id, count, to_web,
                to_mobile, sound, delivery, push_at, created_at, raised_at, read_at)
            SELECT r.user_id, r.type, r.conversation_id, r.mention_seq, r.first_seq, r.seq, r.sent_at, r.message_id, r.count, r.to_web,
                r.to_mobile, r.sound, CASE WHEN r.is_pushed THEN 'pending' ELSE 'none' END, CASE WHEN r.is_pushed THEN now() END,
                now(), now(), CASE WHEN r.is_read THEN now() END
            FROM routed r
            ORDER BY r.conversation_id, r.user_id, r.mention_seq
            ON CONFLICT (conversation_id, user_id, mention_seq) WHERE read_at IS NULL DO UPDATE
            SET count = excluded.count + CASE WHEN n.seq > (
                    SELECT p.last_read_seq
                    FROM participants p
                    WHERE p.conversation_id = n.conversation_id AND p.user_id = n.user_id) THEN n.count ELSE 0 END,
                seq = excluded.seq, sent_at = excluded.sent_at, message_id = excluded.message_id, to_web = excluded.to_web,
                to_mobile = excluded.to_mobile, sound = excluded.sound, delivery = excluded.delivery, push_at = excluded.push_at,
                raised_at = excluded.raised_at
            WHERE n.seq < excluded.seq
            RETURNING n.id, n.conversation_id, n.user_id, n.delivery, n.xmax = 0 AS is_new
        )
        """;

    // There is an event of each new entry, and of one that is raised again where a connection of the user can hear it.
    private const string Announced =
        $"""
        announced AS (
            INSERT INTO outbox (occurred_at, conversation_id, user_id, type, payload)
            SELECT clock_timestamp(), w.conversation_id, w.user_id, '{NotificationRaised.Name}',
                jsonb_build_object('notificationId', w.id)
            FROM written w
            WHERE w.is_new OR w.user_id = ANY (@Away::text[])
        )
        """;

    // All in one statement, which sees one moment. Index: pk_users, and those of its parts.
    private const string MakeSql =
        $"""
        WITH {Told}, {People}, {Heard}, {Entries}, {Routed}, {Written}, {Announced}
        SELECT w.id, w.delivery, CASE WHEN w.delivery = 'pending' THEN u.quiet_hours END AS quiet_hours, now() AS at
        FROM written w
        JOIN users u ON u.id = w.user_id
        """;

    // Index: pk_notifications.
    private const string WaitSql =
        """
        UPDATE notifications n
        SET push_at = w.push_at
        FROM unnest(@Ids::uuid[], @Times::timestamptz[]) AS w (id, push_at)
        WHERE n.id = w.id
        """;

    private readonly IPushProvider[] providers = [.. providers.Where(provider => provider.IsConfigured)];

    /// <summary>Whether any of the rows makes a notification, or one pointless.</summary>
    public static bool IsConcernedBy(IReadOnlyList<FeedRow> rows) => !MessagesToNotify.Of(rows).IsEmpty || !WhatIsGone.Of(rows).IsEmpty;

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
        var written = messages.IsEmpty ? [] : await MakeAsync(connection, messages, ct);
        return () =>
        {
            if (written.Count > 0)
                told.Raise();
            if (written.Exists(row => row.Delivery is DeliveryState.Pending))
                pushes.Raise();
        };
    }

    private async Task<List<Row>> MakeAsync(NpgsqlConnection connection, MessagesToNotify messages, CancellationToken ct)
    {
        var (looking, away) = presence.Connected();
        var parameters = new
        {
            messages.Conversations,
            messages.Seqs,
            messages.Times,
            Looking = looking.ToArray(),
            Away = away.ToArray(),
            Platforms = providers.SelectMany(provider => provider.Platforms).Distinct(StringComparer.Ordinal).ToArray(),
            PushesWithoutDevice = Array.Exists(providers, provider => provider.Platforms.Count == 0),
        };
        var written = (await connection.QueryAsync<Row>(new CommandDefinition(MakeSql, parameters, cancellationToken: ct))).AsList();
        await LetWaitAsync(connection, written, ct);
        return written;
    }

    // Those of users whose quiet hours are going on are pushed at their end.
    private static async Task LetWaitAsync(NpgsqlConnection connection, IEnumerable<Row> written, CancellationToken ct)
    {
        var waiting = written.Select(row => (row.Id, Until: row.QuietUntil())).Where(one => one.Until is not null).ToList();
        if (waiting.Count == 0)
            return;
        var parameters = new
        {
            Ids = waiting.Select(one => one.Id).ToArray(),
            Times = waiting.Select(one => one.Until!.Value.ToDateTimeUtc()).ToArray(),
        };
        await connection.ExecuteAsync(new CommandDefinition(WaitSql, parameters, cancellationToken: ct));
    }

    private sealed record Row(Guid Id, DeliveryState Delivery, JsonText? QuietHours, Instant At)
    {
        public Instant? QuietUntil() => MessagingJson.Read<QuietHoursView>(QuietHours)?.ToRule()?.EndOf(At);
    }
}

/// <summary>The new messages of a page of the feed, without those that notify nobody.</summary>
internal sealed record MessagesToNotify(Guid[] Conversations, long[] Seqs, DateTime[] Times)
{
    public bool IsEmpty => Seqs.Length == 0;

    public static MessagesToNotify Of(IEnumerable<FeedRow> rows)
    {
        var messages = rows.Where(row => row.Type == MessageSent.Name && !row.Values<MessageValues>().Silent).ToList();
        return new MessagesToNotify(
            [.. messages.Select(row => row.ConversationId!.Value)], [.. messages.Select(row => row.Seq!.Value)],
            [.. messages.Select(row => row.OccurredAt.ToDateTimeUtc())]);
    }
}
