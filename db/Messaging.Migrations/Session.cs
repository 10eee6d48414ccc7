using System.Data;
using System.Globalization;
using System.Net.Sockets;
using Npgsql;

namespace Messaging.Migrations;

/// <summary>A connection of its own for migrating, not from a pool, with the settings that scripts rely on.</summary>
static class Session
{
    // Spells "messagin": any number will do that nothing else in the database locks.
    const long LockKey = 0x6d6573736167696e;

    static readonly TimeSpan PollEvery = TimeSpan.FromMilliseconds(500);

    const string SettingsSql = """
        SELECT set_config('statement_timeout', '0', false),
            set_config('idle_in_transaction_session_timeout', '0', false),
            set_config('search_path', 'public', false),
            set_config('client_min_messages', 'warning', false)
        """;

    // The server notices a killed client while a statement runs, instead of finishing it for nobody with all its locks.
    const string NoticeDeadClientSql = """
        SELECT set_config('client_connection_check_interval', '1s', false)
        """;

    // Polled, never waited for: a waiting statement holds a snapshot, and CREATE INDEX CONCURRENTLY would wait for that.
    const string TryLockSql = """
        SELECT pg_try_advisory_lock(@Key)
        """;

    const string HolderSql = """
        SELECT l.pid
        FROM pg_locks l
        WHERE l.locktype = 'advisory'
            AND l.granted
            AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND l.objsubid = 1
            AND ((l.classid::bigint << 32) | l.objid::bigint) = @Key
        """;

    /// <summary>
    /// A connection string with what migrating needs, or null when it cannot be read: an error would repeat it, password and all.
    /// </summary>
    public static NpgsqlConnectionStringBuilder? Settings(string connectionString)
    {
        try
        {
            var settings = new NpgsqlConnectionStringBuilder(connectionString)
            {
                ApplicationName = "messaging-db",
                Pooling = false,
                CommandTimeout = 0,
                Multiplexing = false,
            };
            return string.IsNullOrEmpty(settings.Host) ? null : settings;
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            return null;
        }
    }

    /// <summary>A connection that is ready to migrate: of its own, or the one that <paramref name="open"/> opens.</summary>
    public static async Task<NpgsqlConnection> OpenAsync(
        NpgsqlConnectionStringBuilder settings, CancellationToken ct, Func<NpgsqlConnection>? open = null)
    {
        NpgsqlConnection? connection = null;
        try
        {
            connection = open is null ? new NpgsqlConnection(settings.ConnectionString) : await Task.Run(open, ct);
            if (connection.State == ConnectionState.Closed)
                await connection.OpenAsync(ct);
            await connection.ExecuteAsync(SettingsSql, ct);
        }
        catch (Exception e) when (e is NpgsqlException or SocketException or TimeoutException or IOException)
        {
            if (connection is not null)
                await connection.DisposeAsync();
            var reason = e is PostgresException refused ? refused.MessageText : e.InnerException?.Message ?? e.Message;
            throw new MigrationException(
                $"Cannot connect to database {settings.Database ?? settings.Username} on {settings.Host}:{settings.Port} as "
                    + $"{settings.Username}: {reason}", e);
        }

        try
        {
            await connection.ExecuteAsync(NoticeDeadClientSql, ct);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InvalidParameterValue)
        {
            // Some operating systems cannot tell; a killed run then ends when its statement does.
        }

        return connection;
    }

    /// <summary>Waits until no other run migrates this database. The lock ends with the connection.</summary>
    public static async Task LockAsync(this NpgsqlConnection connection, TextWriter output, CancellationToken ct)
    {
        var announced = false;
        while (!await connection.ScalarAsync<bool>(TryLockSql, ct, ("Key", LockKey)))
        {
            if (!announced)
            {
                var pid = await connection.ScalarAsync<int?>(HolderSql, ct, ("Key", LockKey));
                await output.WriteLineAsync(string.Create(
                    CultureInfo.InvariantCulture,
                    $"Another messaging-db works on this database (server process {pid}): waiting for it to end."));
                announced = true;
            }

            await Task.Delay(PollEvery, ct);
        }
    }
}
