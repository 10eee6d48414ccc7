using System.Globalization;
using Dapper;
using Messaging.Application.Posts;
using Npgsql;

namespace Messaging.Infrastructure.Posts;

/// <summary>
/// Finds posts as their transactions are committed, each once. It goes through them pass by pass, page by page: a pass finds what was
/// committed when it began and was not when the one before began. So neither a transaction that stays open, nor what has been done since
/// it began, is looked at again and again, and of two transactions of which one began after the other had ended, the posts of the first
/// come first.
/// </summary>
public sealed class PostReader(NpgsqlConnection connection)
{
    public const string Channel = "messaging_posts";

    public const int PageSize = 200;

    private const string SessionSql =
        $"""
        SET jit = off;
        SET enable_seqscan = off;
        LISTEN {Channel}
        """;

    // In a database that was restored from a dump elsewhere, numbers of transactions that are still to come here. Index:
    // ix_host_posts_waiting.
    private const string AdoptSql =
        """
        UPDATE host_posts
        SET xid = pg_current_xact_id()
        WHERE done_at IS NULL AND xid >= pg_snapshot_xmax(pg_current_snapshot())
        """;

    // What was committed when the pass began: first of the transactions that were open when the one before began, then of those that
    // came later. One statement, so that all of it is of one moment; what is committed between two pages is left to the next pass.
    // Index: ix_host_posts_waiting. Long: the snapshot and both kinds of transactions, of one moment.
    private const string PageSql =
        """
        WITH pass AS MATERIALIZED (
            SELECT coalesce(@Seen::text::pg_snapshot, pg_current_snapshot()) AS seen
        )
        SELECT
            pass.seen::text AS seen, p.id, p.xid::text AS xid, p.no, p.sender_id, p.conversation_id, p.recipient_id, p.context
        FROM pass
        LEFT JOIN LATERAL (
            SELECT late.id, late.xid, late.no, late.sender_id, late.conversation_id, late.recipient_id, late.context
            FROM unnest(@Open::text[]::xid8[]) AS open (xid)
            CROSS JOIN LATERAL (
                SELECT h.id, h.xid, h.no, h.sender_id, h.conversation_id, h.recipient_id, h.context
                FROM host_posts h
                WHERE h.done_at IS NULL AND h.xid = open.xid AND (h.xid, h.no) > (@Xid::text::xid8, @No)
                    AND pg_visible_in_snapshot(h.xid, pass.seen)
                ORDER BY h.xid, h.no
                LIMIT @Limit
            ) AS late
            UNION ALL
            (
                SELECT h.id, h.xid, h.no, h.sender_id, h.conversation_id, h.recipient_id, h.context
                FROM host_posts h
                WHERE h.done_at IS NULL AND (h.xid, h.no) > (@NextXid::text::xid8, @NextNo) AND pg_visible_in_snapshot(h.xid, pass.seen)
                ORDER BY h.xid, h.no
                LIMIT @Limit
            )
            ORDER BY xid, no
            LIMIT @Limit
        ) AS p ON true
        ORDER BY p.xid, p.no
        """;

    // When the pass before began: who was open, and the first transaction that was still to come.
    private string[] open = [];
    private ulong next;

    // Within a pass.
    private string? seen;
    private (ulong Xid, long No) place;

    /// <summary>Whether somebody has posted since the last pass began.</summary>
    public bool IsCalled { get; private set; } = true;

    public async Task OpenAsync(CancellationToken ct)
    {
        connection.Notification += (_, _) => IsCalled = true;
        await connection.ExecuteAsync(new CommandDefinition(SessionSql, cancellationToken: ct));
    }

    /// <summary>The next posts in order, and whether the pass has more.</summary>
    public async Task<(IReadOnlyList<WaitingPost> Posts, bool HasMore)> ReadAsync(CancellationToken ct)
    {
        if (seen is null)
        {
            IsCalled = false;
            await connection.ExecuteAsync(new CommandDefinition(AdoptSql, cancellationToken: ct));
        }
        var rows = await ReadPageAsync(ct);
        List<Row> posts = [.. rows.Where(row => row.Xid is not null)];
        if (posts.Count == PageSize)
            (seen, place) = (rows[0].Seen, (ulong.Parse(posts[^1].Xid!, CultureInfo.InvariantCulture), posts[^1].No));
        else
            End(rows[0].Seen);
        return (posts, seen is not null);
    }

    private async Task<List<Row>> ReadPageAsync(CancellationToken ct)
    {
        (ulong Xid, long No) later = next == 0 ? (0, 0) : (next - 1, long.MaxValue);
        if (place.CompareTo(later) > 0)
            later = place;
        var values = new
        {
            Seen = seen, Open = open, Xid = Text(place.Xid), place.No, NextXid = Text(later.Xid), NextNo = later.No, Limit = PageSize,
        };
        return (await connection.QueryAsync<Row>(new CommandDefinition(PageSql, values, cancellationToken: ct))).AsList();
    }

    // Written as xmin:xmax:xip,xip.
    private void End(string snapshot)
    {
        var parts = snapshot.Split(':');
        next = ulong.Parse(parts[1], CultureInfo.InvariantCulture);
        open = parts[2].Split(',', StringSplitOptions.RemoveEmptyEntries);
        (seen, place) = (null, default);
    }

    private static string Text(ulong xid) => xid.ToString(CultureInfo.InvariantCulture);

    // Only the snapshot if there is no post.
    private sealed record Row : WaitingPost
    {
        public required string Seen { get; init; }

        public string? Xid { get; init; }

        public long No { get; init; }
    }
}
