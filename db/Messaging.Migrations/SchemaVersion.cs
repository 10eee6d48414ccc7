using System.Data.Common;

namespace Messaging.Migrations;

public enum SchemaState
{
    UpToDate,
    Older,

    /// <summary>A newer release migrated it, by scripts beside which this release runs.</summary>
    Newer,

    /// <summary>A script that this release does not know was applied, and it is not one beside which this release runs.</summary>
    Broken,
}

/// <summary>How the schema of a database stands to the scripts of this release.</summary>
/// <param name="State">What holds first of: <c>Broken</c>, <c>Older</c> (a script of this release is not applied), <c>Newer</c>.</param>
/// <param name="Current">The newest version applied, or 0.</param>
/// <param name="Known">The newest version that this release knows, or 0.</param>
/// <param name="Message">One line for an operator with the command to run.</param>
public sealed record SchemaVersion(SchemaState State, long Current, long Known, string Message)
{
    /// <summary>Compares a database with <see cref="ScriptSet.OfThisRelease"/>. Reads only.</summary>
    public static async Task<SchemaVersion> CheckAsync(DbDataSource dataSource, CancellationToken ct = default)
    {
        await using var connection = await dataSource.OpenConnectionAsync(ct);
        return await CheckAsync(connection, ScriptSet.OfThisRelease, ct);
    }

    /// <summary>Compares the database of an open connection with a set of scripts. Reads only.</summary>
    public static async Task<SchemaVersion> CheckAsync(DbConnection connection, ScriptSet scripts, CancellationToken ct = default)
    {
        var status = MigrationStatus.Of(await Ledger.ReadAsync(connection, ct), scripts);
        var current = status.Applied.Count == 0 ? 0 : status.Applied.Max(row => row.Version);
        var known = scripts.Latest;
        var breaking = status.Applied.Where(row => !scripts.Knows(row.Version) && !row.IsCompatible).ToList();

        if (breaking.Count > 0)
            return new(
                SchemaState.Broken, current, known,
                $"The database is migrated by {string.Join(", ", breaking)}, which breaks this release (it knows up to {known}): " +
                $"start the newer release, or take the schema back with its `messaging-db down --to {known}`, which drops data.");
        if (status.Waiting.Count > 0)
            return new(SchemaState.Older, current, known,
                $"The database is at version {current}, this release needs {known}: run `messaging-db up`.");
        if (status.Newer.Count > 0)
            return new(
                SchemaState.Newer, current, known,
                $"The database is at version {current}, newer than {known}, by scripts beside which this release runs: "
                    + $"{status.NewerNames}.");
        return new(SchemaState.UpToDate, current, known, $"The database is at version {current}.");
    }
}
