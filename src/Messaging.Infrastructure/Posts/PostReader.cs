using System.Globalization;
using Dapper;
using Messaging.Application.Posts;
using Npgsql;

namespace Messaging.Infrastructure.Posts;

/// <summary>
/// Finds posts as their transactions are committed, each time only those of which the time before could not have known: so neither a
/// transaction that stays open, nor what has been done since it began, is looked at again and again. What is found twice is no harm.
/// </summary>
sealed class PostReader(NpgsqlConnection connection)
{
    public const string Channel = "messaging_posts";

    // Posts of up to 256 KiB each.
    private const int PageSize = 200;

    private const string SessionSql =
        $"""
        SET jit = off;
        SET enable_seqscan = off;
        LISTEN {Channel}
        """;

    // Taken before the posts are read: who had not committed then is looked for the next time.
    private const string SnapshotSql =
        """
        SELECT pg_snapshot_xmax(now)::text AS next_xid, ARRAY(SELECT pg_snapshot_xip(now)::text) AS open
        FROM pg_current_snapshot() AS now
        """;

    private const string Columns = "id, xid::text AS xid, no, sender_id, conversation_id, recipient_id, context, message";

    // Those that were open when posts were last read. Index: ix_host_posts_waiting.
    private const string LateSql =
        $"""
        SELECT {Columns}
        FROM host_posts
        WHERE done_at IS NULL AND xid = ANY (@Open::text[]::xid8[])
        ORDER BY host_posts.xid, no
        LIMIT @Limit
        """;

    // Those that came later. Index: ix_host_posts_waiting.
    private const string NextSql =
        $"""
        SELECT {Columns}
        FROM host_posts
        WHERE done_at IS NULL AND (xid, no) > (@Xid::text::xid8, @No)
        ORDER BY host_posts.xid, no
        LIMIT @Limit
        """;

    private string[] open = [];
    private (ulong Xid, long No) place;
    private SnapshotRow? began;

    /// <summary>Whether somebody has posted since <see cref="ReadAsync"/> was last called.</summary>
    public bool IsCalled { get; private set; } = true;

    public async Task OpenAsync(CancellationToken ct)
    {
        connection.Notification += (_, _) => IsCalled = true;
        await connection.ExecuteAsync(new CommandDefinition(SessionSql, cancellationToken: ct));
    }

    /// <summary>The next posts in order, and whether there are more already.</summary>
    public async Task<(IReadOnlyList<Post> Posts, bool HasMore)> ReadAsync(CancellationToken ct)
    {
        if (began is null)
            IsCalled = false;
        await using var grid = await connection.QueryMultipleAsync(new CommandDefinition(
            $"{SnapshotSql};{LateSql};{NextSql}",
            new
            {
                Open = began is null ? open : [],
                Xid = place.Xid.ToString(CultureInfo.InvariantCulture),
                place.No,
                Limit = PageSize,
            },
            cancellationToken: ct));
        var snapshot = await grid.ReadSingleAsync<SnapshotRow>();
        var late = (await grid.ReadAsync<Row>()).AsList();
        var next = (await grid.ReadAsync<Row>()).AsList();
        return ([.. late, .. next], GoOn(snapshot, late, next));
    }

    private bool GoOn(SnapshotRow snapshot, List<Row> late, List<Row> next)
    {
        // One that was open for long has left many: everything since is read again.
        if (late.Count == PageSize)
        {
            (place, open, began) = ((open.Min(Parse) - 1, long.MaxValue), [], null);
            return true;
        }
        began ??= snapshot;
        if (next.Count == PageSize)
        {
            place = (Parse(next[^1].Xid), next[^1].No);
            return true;
        }
        (place, open, began) = ((Parse(began.NextXid) - 1, long.MaxValue), began.Open, null);
        return false;
    }

    private static ulong Parse(string xid) => ulong.Parse(xid, CultureInfo.InvariantCulture);

    private sealed record SnapshotRow(string NextXid, string[] Open);

    private sealed record Row : Post
    {
        public required string Xid { get; init; }

        public required long No { get; init; }
    }
}
