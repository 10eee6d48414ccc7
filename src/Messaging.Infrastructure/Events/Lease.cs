using Dapper;
using Npgsql;

namespace Messaging.Infrastructure.Events;

/// <summary>
/// The right to lead something until it runs out by the database's clock. Whoever takes it over gets a higher fencing number.
/// </summary>
public sealed record Lease(string Name, string Holder, long Fencing)
{
    // Locks the lease's row. Its own holder gets a new number too: what it sent over an earlier connection is fenced off.
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

    /// <summary>
    /// A row for who holds it still. Locks the lease's row: nobody takes it over until what is done with it is committed.
    /// </summary>
    public const string HeldSql =
        """
        SELECT name
        FROM leases
        WHERE name = @Name AND holder = @Holder AND fencing = @Fencing AND expires_at > clock_timestamp()
        FOR SHARE
        """;

    /// <summary>How long a holder waits for the server's word before it tries over another connection.</summary>
    public static readonly TimeSpan CommandTimeout = TimeSpan.FromSeconds(10);

    /// <summary>A name to hold leases under; another one after a restart.</summary>
    public static string NewHolder() => $"{Environment.MachineName}:{Environment.ProcessId}:{Guid.NewGuid():N}";

    /// <summary>Null while somebody else holds it.</summary>
    public static async Task<Lease?> AcquireAsync(
        NpgsqlConnection connection, string name, string holder, TimeSpan term, CancellationToken ct)
    {
        var fencing = await connection.QuerySingleOrDefaultAsync<long?>(
            Command(AcquireSql, new { Name = name, Holder = holder, Seconds = term.TotalSeconds }, ct));
        return fencing is { } number ? new Lease(name, holder, number) : null;
    }

    /// <summary>False when somebody else has taken it over.</summary>
    public async Task<bool> RenewAsync(NpgsqlConnection connection, TimeSpan term, CancellationToken ct) =>
        await connection.ExecuteAsync(Command(RenewSql, new { Name, Holder, Fencing, Seconds = term.TotalSeconds }, ct)) == 1;

    /// <summary>Lets the next one in at once.</summary>
    public Task ReleaseAsync(NpgsqlConnection connection, CancellationToken ct) => RenewAsync(connection, TimeSpan.Zero, ct);

    private static CommandDefinition Command(string sql, object parameters, CancellationToken ct) =>
        new(sql, parameters, commandTimeout: (int)CommandTimeout.TotalSeconds, cancellationToken: ct);
}
