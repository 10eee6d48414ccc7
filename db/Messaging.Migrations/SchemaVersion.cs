using System.Data.Common;

namespace Messaging.Migrations;

public enum SchemaState
{
    UpToDate,
    Older,
    Newer,
}

/// <summary>How the schema of a database stands to the scripts of this release.</summary>
/// <param name="State">
/// <c>Older</c> when a script of this release is not applied; <c>Newer</c> when all are, and some that it does not know as well.
/// </param>
/// <param name="Current">The newest version applied, or 0.</param>
/// <param name="Known">The newest version that this release knows, or 0.</param>
/// <param name="Message">One line for an operator with the command to run.</param>
public sealed record SchemaVersion(SchemaState State, long Current, long Known, string Message)
{
    const string ExistsSql = """
        SELECT to_regclass('public."VersionInfo"') IS NOT NULL
        """;

    const string VersionsSql = """
        SELECT "Version"
        FROM public."VersionInfo"
        """;

    /// <summary>Compares a database with <see cref="ScriptSet.Embedded"/>. Reads only.</summary>
    public static async Task<SchemaVersion> CheckAsync(DbDataSource dataSource, CancellationToken ct = default)
    {
        await using var connection = await dataSource.OpenConnectionAsync(ct);
        return await CheckAsync(connection, ScriptSet.Embedded, ct);
    }

    /// <summary>Compares the database of an open connection with a set of scripts. Reads only.</summary>
    public static async Task<SchemaVersion> CheckAsync(DbConnection connection, ScriptSet scripts, CancellationToken ct = default)
    {
        var applied = await AppliedAsync(connection, ct);
        var current = applied.Count == 0 ? 0 : applied.Max();
        var known = scripts.Latest;

        if (scripts.Any(script => !applied.Contains(script.Version)))
            return new(SchemaState.Older, current, known, $"The database is at version {current}, this release needs {known}: run `messaging-db up`.");
        if (current > known)
            return new(
                SchemaState.Newer, current, known,
                $"The database is at version {current}, newer than {known}, the last that this release knows: " +
                $"start the newer release, or take the schema back with its `messaging-db down --to {known}`, which drops data.");
        return new(SchemaState.UpToDate, current, known, $"The database is at version {current}.");
    }

    static async Task<HashSet<long>> AppliedAsync(DbConnection connection, CancellationToken ct)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = ExistsSql;
        if (await command.ExecuteScalarAsync(ct) is not true)
            return [];

        command.CommandText = VersionsSql;
        await using var reader = await command.ExecuteReaderAsync(ct);
        var versions = new HashSet<long>();
        while (await reader.ReadAsync(ct))
            versions.Add(reader.GetInt64(0));
        return versions;
    }
}
