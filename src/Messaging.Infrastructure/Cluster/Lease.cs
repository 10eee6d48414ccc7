using Dapper;
using Npgsql;

namespace Messaging.Infrastructure.Cluster;

/// <summary>
/// The right to lead until it expires by the database's clock. A node that takes it over gets a higher fencing number.
/// </summary>
public sealed record Lease(string Name, string Holder, long Fencing)
{
    // Locks the lease's row. The current holder gets a new number too, which fences off what it sent over an earlier connection.
    private const string AcquireSql =
        """
        INSERT INTO leases AS lease (name, holder, fencing, expires_at)
        VALUES (@Name, @Holder, 1, clock_timestamp() + make_interval(secs => @Seconds))
        ON CONFLICT (name) DO UPDATE
        SET holder = excluded.holder,
            fencing = lease.fencing + 1,
            expires_at = clock_timestamp() + make_interval(secs => @Seconds)
        WHERE lease.expires_at <= clock_timestamp() OR lease.holder = excluded.holder
        RETURNING fencing
        """;

    // Locks the lease's row.
    private const string RenewSql =
        """
        UPDATE leases
        SET expires_at = clock_timestamp() + make_interval(secs => @Seconds)
        WHERE name = @Name AND holder = @Holder AND fencing = @Fencing
        """;

    // Locks the lease's row.
    private const string WriteSql =
        """
        INSERT INTO leases AS lease (name, holder, fencing, expires_at)
        VALUES (@Name, @Holder, 1, @Until)
        ON CONFLICT (name) DO UPDATE
        SET holder = excluded.holder, fencing = lease.fencing + 1, expires_at = excluded.expires_at
        """;

    /// <summary>
    /// Returns a row if the caller still holds it. Locks the lease's row: no node takes it over until the transaction ends.
    /// </summary>
    public const string HeldSql =
        """
        SELECT name
        FROM leases
        WHERE name = @Name AND holder = @Holder AND fencing = @Fencing AND expires_at > clock_timestamp()
        FOR SHARE
        """;

    /// <summary>How long a holder waits for the server's answer before it tries another connection.</summary>
    public static readonly TimeSpan CommandTimeout = TimeSpan.FromSeconds(10);

    /// <summary>The name of this node as a holder; a new one after a restart.</summary>
    public static string NewHolder() => $"{Environment.MachineName}:{Environment.ProcessId}:{Guid.NewGuid():N}";

    /// <summary>Null while another node holds it.</summary>
    public static async Task<Lease?> AcquireAsync(
        NpgsqlConnection connection, string name, string holder, TimeSpan term, CancellationToken ct)
    {
        var fencing = await connection.QuerySingleOrDefaultAsync<long?>(
            Command(AcquireSql, new { Name = name, Holder = holder, Seconds = term.TotalSeconds }, ct));
        return fencing is { } number ? new Lease(name, holder, number) : null;
    }

    /// <summary>Has it stand until a time, whoever holds it: for those who hold another lease by which they alone may say so.</summary>
    public static Task WriteAsync(NpgsqlConnection connection, string name, string holder, DateTime until, CancellationToken ct) =>
        connection.ExecuteAsync(Command(WriteSql, new { Name = name, Holder = holder, Until = until }, ct));

    /// <summary>False if another node has taken it over.</summary>
    public async Task<bool> RenewAsync(NpgsqlConnection connection, TimeSpan term, CancellationToken ct) =>
        await connection.ExecuteAsync(Command(RenewSql, new { Name, Holder, Fencing, Seconds = term.TotalSeconds }, ct)) == 1;

    /// <summary>
    /// Whether the caller still holds it. No other node takes it over until the transaction that has begun on the connection ends.
    /// </summary>
    public async Task<bool> IsHeldAsync(NpgsqlConnection connection, CancellationToken ct) =>
        await connection.QuerySingleOrDefaultAsync<string>(Command(HeldSql, new { Name, Holder, Fencing }, ct)) is not null;

    /// <summary>Gives it up, so that another node can take it at once.</summary>
    public Task ReleaseAsync(NpgsqlConnection connection, CancellationToken ct) => RenewAsync(connection, TimeSpan.Zero, ct);

    private static CommandDefinition Command(string sql, object parameters, CancellationToken ct) =>
        new(sql, parameters, commandTimeout: (int)CommandTimeout.TotalSeconds, cancellationToken: ct);
}
