using Messaging.Application.Common;
using Messaging.Application.Messages;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Messages;
using Messaging.Domain.Participants;
using NodaTime;

namespace Messaging.Application.Events;

/// <summary>Events in feed order, and where to continue.</summary>
/// <param name="Cursor">Everything up to here is covered, including what did not concern the reader.</param>
/// <param name="HasMore">Whether there is already more after the cursor.</param>
public sealed record EventPage(IReadOnlyList<EventEnvelope> Events, FeedCursor Cursor, bool HasMore);

/// <summary>
/// Reads the feed after a cursor: for a user what they may receive by current membership, for the service everything; each event with its
/// current data.
/// </summary>
public sealed class EventStore(DbSession session, EventRenderer teller)
{
    // Statements for one answer, and the events that each but the first looks at beyond those that it is asked for: most answers take one
    // statement. What a user may not see is passed over without being told, and an answer that has passed over many says how far it came.
    private const int MostStatements = 4;
    private const int Beyond = 5_000;

    /// <summary>
    /// The feed's one row of state. Each move leaves an old version of it behind, which stays while a snapshot is open elsewhere: the one
    /// with the highest position is found without walking over those before. Index: pk_feed_state.
    /// </summary>
    public const string StateSql =
        """
        SELECT epoch, last_position, expired_position
        FROM feed_state
        ORDER BY last_position DESC
        LIMIT 1
        """;

    // That a conversation was made is told to those who were in it then: who came later is told by an event of one's own. Of a conversation
    // that one has left, one's own removal and its end alone are told; of a message that one has deleted for oneself, that it
    // was sent, without what it said, which keeps the seqs dense.
    //
    // Costs what was missed, not what happened elsewhere. A conversation without an event after the cursor costs one look: into
    // ix_feed_conversation if there is one day to look into, else into pk_feed_ends, if nothing happened in it since the first of them.
    // Of the others it finds how each goes on, and reads those alone whose next events can be among the first of all, each up to as many
    // events as are asked for. Where one of them has more, nothing is told from behind the last of those: the next statement goes on there.
    // How one goes on is looked for day by day, the days being read in the order that they were put in. An event of a later day with a
    // lower position, which a wrong clock or a long transaction over midnight can make, is no lower than the first one of all later days:
    // that counts then, and all conversations for which it does are read, since it may be any one's.
    // Indexes: pk_feed of each day, ix_participants_inbox, per conversation ix_feed_conversation, for the user's own events ix_feed_user.
    // The state is read in the same snapshot as the events: nothing behind its last position was seen or missed.
    // Long: one snapshot and one round trip for each page.
    private const string OfUserSql =
        $"""
        WITH state AS MATERIALIZED ({StateSql}),
        days AS MATERIALIZED (
            SELECT since, until, first, min(first) OVER (ORDER BY since ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS later
            FROM (
                SELECT since, until, (
                    SELECT position
                    FROM feed
                    WHERE position > @After AND occurred_at >= since AND occurred_at < until
                    ORDER BY position
                    LIMIT 1) AS first
                FROM (
                    SELECT
                        CASE WHEN ago = 8 THEN '-infinity' ELSE date_trunc('day', now()) - make_interval(days => ago) END AS since,
                        CASE WHEN ago = -2 THEN 'infinity' ELSE date_trunc('day', now()) + make_interval(days => 1 - ago) END AS until
                    FROM generate_series(-2, 8) AS ago
                    WHERE @After < (SELECT last_position FROM state)
                ) AS spans
            ) AS found
            WHERE first IS NOT NULL
            ORDER BY since
        ),
        missed AS MATERIALIZED (
            SELECT p.conversation_id, p.user_id, p.cleared_seq, p.joined_seq, p.has_gaps, next.position
            FROM participants p
            CROSS JOIN LATERAL (
                SELECT least(m.position, days.later) AS position
                FROM days
                CROSS JOIN LATERAL (
                    SELECT m.position
                    FROM feed m
                    WHERE m.conversation_id = p.conversation_id
                      AND m.user_id IS NULL
                      AND m.position > @After
                      AND m.occurred_at >= days.since
                      AND m.occurred_at < days.until
                    ORDER BY m.position
                    LIMIT 1
                ) AS m
                LIMIT 1
            ) AS next
            WHERE @After < (SELECT last_position FROM state)
              AND p.user_id = @UserId
              AND {VisibilitySql.Hears}
              AND ((SELECT count(*) = 1 FROM days) OR (SELECT e.day FROM feed_ends e WHERE e.conversation_id = p.conversation_id)
                  >= (SELECT (min(since) AT TIME ZONE 'UTC')::date FROM days))
            ORDER BY next.position
            FETCH FIRST @Limit ROWS WITH TIES
        ),
        bounds AS MATERIALIZED (
            SELECT up_to, each, min(days.since) AS since, max(days.until) AS until
            FROM (
                SELECT
                    CASE WHEN count(*) < @Limit THEN (SELECT last_position FROM state) ELSE max(position) END AS up_to,
                    greatest(@Limit, @Beyond / greatest(count(*), 1)) AS each
                FROM missed
            ) AS page
            LEFT JOIN days ON days.first <= up_to
            GROUP BY up_to, each
        ),
        looked_at AS MATERIALIZED (
            SELECT
                p.conversation_id AS of, m.position, m.occurred_at,
                (m.type <> '{ConversationCreated.Name}' OR {VisibilitySql.Founded})
                    AND (m.seq IS NULL OR ({VisibilitySql.Reached} AND (m.type = '{MessageSent.Name}' OR NOT {VisibilitySql.Hidden})))
                    AS is_told
            FROM missed p
            CROSS JOIN LATERAL (
                SELECT m.position, m.occurred_at, m.seq, m.type
                FROM feed m
                WHERE m.conversation_id = p.conversation_id
                  AND m.user_id IS NULL
                  AND m.position > @After
                  AND m.position <= (SELECT up_to FROM bounds)
                  AND m.occurred_at >= (SELECT since FROM bounds)
                  AND m.occurred_at < (SELECT until FROM bounds)
                ORDER BY m.position
                LIMIT (SELECT each FROM bounds)
            ) AS m
            UNION ALL
            SELECT
                NULL, e.position, e.occurred_at,
                e.conversation_id IS NULL OR e.type IN ('{ParticipantRemoved.Name}', '{ConversationDeleted.Name}') OR EXISTS (
                    SELECT FROM participants p
                    WHERE p.conversation_id = e.conversation_id AND p.user_id = @UserId AND {VisibilitySql.HearsOwn})
            FROM (
                SELECT e.position, e.occurred_at, e.conversation_id, e.type
                FROM feed e
                WHERE e.user_id = @UserId
                  AND e.position > @After
                  AND e.position <= (SELECT up_to FROM bounds)
                  AND e.occurred_at >= (SELECT since FROM bounds)
                  AND e.occurred_at < (SELECT until FROM bounds)
                ORDER BY e.position
                LIMIT (SELECT each FROM bounds)
            ) AS e
        ),
        reached AS MATERIALIZED (
            SELECT least((SELECT up_to FROM bounds), min(cut)) AS position
            FROM (
                SELECT max(position) AS cut
                FROM looked_at
                GROUP BY of
                HAVING count(*) = (SELECT each FROM bounds)
            ) AS filled
        ),
        told AS (
            SELECT position, occurred_at
            FROM looked_at
            WHERE is_told AND position <= (SELECT position FROM reached)
            ORDER BY position
            LIMIT @Limit
        )
        SELECT
            state.epoch, state.last_position, reached.position AS reached_position,
            feed.position, feed.occurred_at, feed.conversation_id, feed.seq, feed.user_id, feed.type, feed.payload
        FROM state
        CROSS JOIN reached
        LEFT JOIN (told JOIN feed USING (position, occurred_at)) ON true
        ORDER BY feed.position
        """;

    // pk_feed, one index per day. Where there are fewer than asked for, that is all up to the end.
    private const string OfAllSql =
        $"""
        WITH state AS MATERIALIZED ({StateSql}),
        missed AS (
            SELECT position, occurred_at, conversation_id, seq, user_id, type, payload
            FROM feed
            WHERE position > @After
            ORDER BY position
            LIMIT @Limit
        )
        SELECT
            state.epoch, state.last_position, state.last_position AS reached_position,
            feed.position, feed.occurred_at, feed.conversation_id, feed.seq, feed.user_id, feed.type, feed.payload
        FROM state
        LEFT JOIN missed feed ON feed.position <= state.last_position
        ORDER BY feed.position
        """;

    /// <summary>The current end of the feed.</summary>
    public async Task<FeedCursor> NewestAsync(CancellationToken ct)
    {
        var state = await session.QuerySingleAsync<StateRow>(StateSql, null, ct);
        return new FeedCursor(state.Epoch, state.LastPosition);
    }

    /// <summary>Refuses a cursor after which events may be missing.</summary>
    public async Task EnsureKnownAsync(FeedCursor cursor, CancellationToken ct)
    {
        var state = await session.QuerySingleAsync<StateRow>(StateSql, null, ct);
        EnsureKnown(cursor, state.Epoch, state.LastPosition, state.ExpiredPosition);
    }

    /// <summary>All events after the cursor; otherwise the cursor has expired.</summary>
    public async Task<EventPage> ReadAsync(Actor actor, FeedCursor since, int limit, CancellationToken ct)
    {
        var page = await session.ReadAsync(() => ReadOfOneMomentAsync(actor, since, limit, ct));
        // Asked in a snapshot that is younger than the rows: a day that was dropped while they were read is gone from a statement that had
        // to wait for it, though its snapshot, taken before, does not tell that the day expired.
        await EnsureKnownAsync(since, ct);
        return page;
    }

    // Receivers and data of events come from one snapshot, so that nobody receives what was sent after they left.
    private async Task<EventPage> ReadOfOneMomentAsync(Actor actor, FeedCursor since, int limit, CancellationToken ct)
    {
        await session.BeginSnapshotAsync(ct);
        try
        {
            return await ReadUncheckedAsync(actor, since, limit, ct);
        }
        finally
        {
            await session.RollbackAsync();
        }
    }

    private async Task<EventPage> ReadUncheckedAsync(Actor actor, FeedCursor since, int limit, CancellationToken ct)
    {
        var found = new List<FeedRow>();
        var after = since.Position;
        for (var statement = 1; ; statement++)
        {
            // One more than requested tells whether there is more.
            var asked = limit + 1 - found.Count;
            var rows = await session.QueryAsync<Row>(
                actor.IsService ? OfAllSql : OfUserSql,
                new { After = after, UserId = actor.UserId?.Value, Limit = asked, Beyond = statement == 1 ? 0 : Beyond }, ct);
            var (epoch, last, reached) = (rows[0].Epoch, rows[0].LastPosition, rows[0].ReachedPosition);
            found.AddRange(rows.Where(row => row.Position is not null).Select(row => row.ToFeedRow()));
            if (found.Count > limit)
            {
                found.RemoveAt(limit);
                return await TellAsync(actor, found, new FeedCursor(epoch, found[^1].Position), hasMore: true, ct);
            }
            if (reached >= last || statement == MostStatements)
                return await TellAsync(actor, found, new FeedCursor(epoch, reached), hasMore: reached < last, ct);
            after = reached;
        }
    }

    private async Task<EventPage> TellAsync(Actor actor, List<FeedRow> rows, FeedCursor cursor, bool hasMore, CancellationToken ct)
    {
        var reading = teller.Read(rows, actor.UserId);
        var data = await session.QueryAsync(reading, ct);
        var events = new List<EventEnvelope>();
        foreach (var row in rows)
        {
            if (data(row) is { } told)
                events.Add(actor.IsService ? row.ToServiceEnvelope(cursor.Epoch, told) : row.ToEnvelope(cursor.Epoch, told));
        }
        return new EventPage(events, cursor, hasMore);
    }

    private static void EnsureKnown(FeedCursor cursor, long epoch, long last, long expired)
    {
        if (cursor.Epoch != epoch || cursor.Position > last || cursor.Position < expired)
            throw EventErrors.CursorExpired();
    }

    private sealed record StateRow(long Epoch, long LastPosition, long ExpiredPosition);

    // A row with only the state if there is no event.
    private sealed record Row(
        long Epoch, long LastPosition, long ReachedPosition,
        long? Position, Instant? OccurredAt, Guid? ConversationId, long? Seq, string? UserId, string? Type, JsonText? Payload)
    {
        public FeedRow ToFeedRow() => new(Position!.Value, OccurredAt!.Value, ConversationId, Seq, UserId, Type!, Payload);
    }
}
