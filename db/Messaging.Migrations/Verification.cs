using Npgsql;

namespace Messaging.Migrations;

/// <summary>Whether the schema of a database is what the scripts make.</summary>
/// <param name="Differences">A line for each thing that differs, each invalid index and each script missing.</param>
/// <param name="Waiting">Scripts not applied yet; they are no difference.</param>
public sealed record Verification(IReadOnlyList<string> Differences, IReadOnlyList<Script> Waiting)
{
    const string InvalidIndexesSql = """
        SELECT CASE c.relkind
            WHEN 'I' THEN format('index %s is not on every partition yet: the service builds it while it runs', c.relname)
            ELSE format('index %s is invalid: `messaging-db up` rebuilds it when a script made it', c.relname) END
        FROM pg_index i
        JOIN pg_class c ON c.oid = i.indexrelid
        WHERE c.relnamespace = 'public'::regnamespace
            AND NOT i.indisvalid
        ORDER BY c.relname
        """;

    const string EndSessionsSql = """
        SELECT pg_terminate_backend(pid)
        FROM pg_stat_activity
        WHERE datname = @Database
            AND usename = current_user
        """;

    public bool IsEqual => Differences.Count == 0;

    internal static async Task<Verification> OfAsync(
        NpgsqlConnection connection, NpgsqlConnectionStringBuilder settings, ScriptSet scripts, CancellationToken ct)
    {
        var status = MigrationStatus.Of(await Ledger.ReadAsync(connection, ct), scripts);
        var invalid = await connection.QueryAsync(InvalidIndexesSql, row => row.GetString(0), ct);
        var newer = status.Newer.Select(row =>
            $"{row} was applied by a newer release, beside which this one runs: only that release's messaging-db can compare the schema");
        string[] differences =
            [.. status.Problems, .. newer, .. invalid];

        // Without the text of an applied script there is nothing to compare with.
        if (status.Problems.Count + status.Newer.Count > 0)
            return new Verification(differences, status.Waiting);

        var live = await SchemaDescription.ReadAsync(connection, ct);
        var made = await MakeAsync(connection, settings, new ScriptSet(scripts.Except(status.Waiting)), ct);
        return new Verification([.. differences, .. SchemaDescription.Compare(live, made)], status.Waiting);
    }

    // A database rather than a schema: scripts name public, and extensions belong to a whole database.
    static async Task<SortedDictionary<string, string>> MakeAsync(
        NpgsqlConnection connection, NpgsqlConnectionStringBuilder settings, ScriptSet applied, CancellationToken ct)
    {
        var scratch = new NpgsqlConnectionStringBuilder(settings.ConnectionString) { Database = $"messaging_verify_{Guid.NewGuid():N}" };
        await CreateAsync(connection, scratch.Database, settings.Username, ct);
        try
        {
            await new Migrator(scratch.ConnectionString, applied).UpAsync(null, ct);
            await using var made = await Session.OpenAsync(scratch, ct);
            return await SchemaDescription.ReadAsync(made, ct);
        }
        finally
        {
            // Not WITH (FORCE): that asks for the right to end an autovacuum too, which the plain form waits for.
            await connection.ExecuteAsync(EndSessionsSql, CancellationToken.None, ("Database", scratch.Database));
            await connection.ExecuteAsync($"DROP DATABASE IF EXISTS {scratch.Database}", CancellationToken.None);
        }
    }

    static async Task CreateAsync(NpgsqlConnection connection, string scratch, string? role, CancellationToken ct)
    {
        try
        {
            await connection.ExecuteAsync($"CREATE DATABASE {scratch} TEMPLATE template0", ct);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw new MigrationException(
                $"The schema cannot be compared: role {role} may not create the scratch database that the scripts are run in. " +
                "Give --connection a role that may, or this one CREATEDB.", e);
        }
    }
}
