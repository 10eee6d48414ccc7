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
    // Positions that one statement scans: keeps each statement short for a user in thousands of conversations who was away for days.
    private const int Window = 100_000;

    private const string StateSql =
        """
        SELECT epoch, last_position, expired_position
        FROM feed_state
        """;

    // That a conversation was made is told to those who were in it then: who came later is told by an event of one's own. Of a conversation
    // that one has left, one's own removal and its end alone are told; of a message that one has deleted for oneself, that it
    // was sent, without what it said, which keeps the seqs dense.
    // Per conversation ix_feed_conversation, for the user's own events ix_feed_user, of those days only that hold anything of the window,
    // whatever their clock said. The state is read in the same snapshot as the events: nothing behind its last position was seen or missed.
    private const string OfUserSql =
        $"""
        WITH state AS MATERIALIZED (
            SELECT epoch, last_position, expired_position
            FROM feed_state
        ),
        days AS MATERIALIZED (
            SELECT
                coalesce(max(day) FILTER (WHERE (
                    SELECT true FROM feed WHERE position > @After AND position <= @UpTo AND occurred_at < day LIMIT 1) IS NULL),
                        '-infinity') AS first,
                coalesce(min(day) FILTER (WHERE (
                    SELECT true FROM feed WHERE position > @After AND position <= @UpTo AND occurred_at >= day LIMIT 1) IS NULL),
                        'infinity') AS beyond
            FROM generate_series(date_trunc('day', now()) - interval '8 days', date_trunc('day', now()) + interval '2 days',
                interval '1 day') AS day
        ),
        missed AS (
            SELECT e.position, e.occurred_at
            FROM participants p
            CROSS JOIN LATERAL (
                SELECT m.position, m.occurred_at
                FROM feed m
                WHERE m.conversation_id = p.conversation_id
                  AND m.user_id IS NULL
                  AND (m.type <> '{ConversationCreated.Name}' OR {VisibilitySql.Founded})
                  AND (m.seq IS NULL OR ({VisibilitySql.Reached} AND (m.type = '{MessageSent.Name}' OR NOT {VisibilitySql.Hidden})))
                  AND m.position > @After
                  AND m.position <= @UpTo
                  AND m.occurred_at >= (SELECT first FROM days)
                  AND m.occurred_at < (SELECT beyond FROM days)
                ORDER BY m.position
                LIMIT @Limit
            ) AS e
            WHERE p.user_id = @UserId AND {VisibilitySql.Hears}
            UNION ALL
            (
                SELECT e.position, e.occurred_at
                FROM feed e
                WHERE e.user_id = @UserId
                  AND (e.conversation_id IS NULL OR e.type IN ('{ParticipantRemoved.Name}', '{ConversationDeleted.Name}') OR EXISTS (
                    SELECT FROM participants p
                    WHERE p.conversation_id = e.conversation_id AND p.user_id = @UserId AND {VisibilitySql.HearsOwn}))
                  AND e.position > @After
                  AND e.position <= @UpTo
                  AND e.occurred_at >= (SELECT first FROM days)
                  AND e.occurred_at < (SELECT beyond FROM days)
                ORDER BY e.position
                LIMIT @Limit
            )
            ORDER BY position
            LIMIT @Limit
        )
        SELECT
            state.epoch, state.last_position, state.expired_position,
            feed.position, feed.occurred_at, feed.conversation_id, feed.seq, feed.user_id, feed.type, feed.payload
        FROM state
        LEFT JOIN (missed JOIN feed USING (position, occurred_at)) ON feed.position <= state.last_position
        ORDER BY feed.position
        """;

    // pk_feed, one index per day.
    private const string OfAllSql =
        $"""
        WITH state AS MATERIALIZED (
            SELECT epoch, last_position, expired_position
            FROM feed_state
        ),
        missed AS (
            SELECT position, occurred_at, conversation_id, seq, user_id, type, payload
            FROM feed
            WHERE position > @After AND position <= @UpTo
            ORDER BY position
            LIMIT @Limit
        )
        SELECT
            state.epoch, state.last_position, state.expired_position,
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
        // Asked again in a snapshot that is younger than the rows: a day that was dropped while they were read is gone from a statement
        // that had to wait for it, though its snapshot, taken before, does not tell that the day expired.
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
        while (true)
        {
            // One more than requested tells whether there is more.
            var rows = await session.QueryAsync<Row>(
                actor.IsService ? OfAllSql : OfUserSql,
                new { After = after, UpTo = after + Window, UserId = actor.UserId?.Value, Limit = limit + 1 - found.Count },
                ct);
            var (epoch, last, expired) = (rows[0].Epoch, rows[0].LastPosition, rows[0].ExpiredPosition);
            EnsureKnown(since with { Position = after }, epoch, last, expired);
            found.AddRange(rows.Where(row => row.Position is not null).Select(row => row.ToFeedRow()));
            if (found.Count > limit)
            {
                found.RemoveAt(limit);
                return await TellAsync(actor, found, new FeedCursor(epoch, found[^1].Position), hasMore: true, ct);
            }
            after += Window;
            if (after >= last)
                return await TellAsync(actor, found, new FeedCursor(epoch, last), hasMore: false, ct);
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
        long Epoch, long LastPosition, long ExpiredPosition,
        long? Position, Instant? OccurredAt, Guid? ConversationId, long? Seq, string? UserId, string? Type, JsonText? Payload)
    {
        public FeedRow ToFeedRow() => new(Position!.Value, OccurredAt!.Value, ConversationId, Seq, UserId, Type!, Payload);
    }
}
