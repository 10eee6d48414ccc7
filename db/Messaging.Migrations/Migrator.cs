using Npgsql;

namespace Messaging.Migrations;

/// <summary>How patient a run is with busy tables.</summary>
public sealed record MigratorOptions
{
    /// <summary>How long a script waits for a table, and everybody else behind it, before it steps back.</summary>
    public TimeSpan LockTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How often a script is tried on a busy table before the run fails.</summary>
    public int Tries { get; init; } = 10;

    /// <summary>The pause after the first try; it doubles with each, up to 30 seconds, and is shortened by chance.</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromMilliseconds(500);
}

/// <summary>A script that ran, up or down.</summary>
public sealed record ScriptRun(long Version, string Name, TimeSpan Elapsed);

/// <summary>What a run did: scripts in the order in which they ran, and invalid indexes that were rebuilt.</summary>
public sealed record MigrationRun(IReadOnlyList<ScriptRun> Scripts, IReadOnlyList<string> RebuiltIndexes);

/// <summary>
/// Brings a database to a version. Each script commits together with its row in <c>VersionInfo</c>, so a run that was killed
/// is continued by the next; of two at once the second waits. A script that fails, a history that does not fit and a server
/// that cannot be reached are <see cref="MigrationException"/>s.
/// </summary>
public sealed class Migrator
{
    internal const string UnreadableConnection =
        "The connection string cannot be read; it looks like Host=…;Port=…;Database=…;Username=…;Password=….";

    readonly NpgsqlConnectionStringBuilder settings;
    readonly ScriptSet scripts;
    readonly TextWriter output;
    readonly MigratorOptions options;

    /// <summary>Connects to nothing yet.</summary>
    /// <param name="connectionString">A direct connection: a pooler in transaction mode loses the lock.</param>
    /// <param name="scripts">The scripts; <see cref="ScriptSet.OfThisRelease"/> when not given.</param>
    /// <param name="output">Gets a line per step, and no secrets; nothing is written when not given.</param>
    /// <param name="options">How patient the run is.</param>
    public Migrator(string connectionString, ScriptSet? scripts = null, TextWriter? output = null, MigratorOptions? options = null)
    {
        settings = Session.Settings(connectionString) ?? throw new MigrationException(UnreadableConnection);
        this.scripts = scripts ?? ScriptSet.OfThisRelease;
        this.output = output is null ? TextWriter.Null : TextWriter.Synchronized(output);
        this.options = options ?? new MigratorOptions();
    }

    /// <summary>
    /// Applies the scripts that are waiting, up to and with version <paramref name="to"/>, and rebuilds invalid indexes. With nothing
    /// waiting it does no harm to what a newer release has applied, so that the previous release can be started by the same steps.
    /// </summary>
    public async Task<MigrationRun> UpAsync(long? to = null, CancellationToken ct = default)
    {
        RequireKnown(to);
        await using var runner = await ScriptRunner.OpenAsync(settings, output, options, ct);
        var status = await RequireSoundHistoryAsync(runner.Connection, ct);
        if (status.Waiting.Count > 0)
            RequireNothingNewer(status);
        var rebuilt = await InvalidIndexes.RebuildAsync(runner.Connection, AppliedScripts(status), output, ct);

        var runs = new List<ScriptRun>();
        foreach (var script in status.Waiting.Where(script => script.Version <= (to ?? long.MaxValue)))
            runs.Add(await runner.UpAsync(script, ct));
        return new MigrationRun(runs, rebuilt);
    }

    /// <summary>Takes back every script newer than <paramref name="to"/>, newest first; 0 takes back all. Drops data.</summary>
    public async Task<MigrationRun> DownAsync(long to, CancellationToken ct = default)
    {
        RequireKnown(to);
        await using var runner = await ScriptRunner.OpenAsync(settings, output, options, ct);
        var status = await RequireSoundHistoryAsync(runner.Connection, ct);
        RequireNothingNewer(status);

        var runs = new List<ScriptRun>();
        foreach (var script in AppliedScripts(status).Where(script => script.Version > to).Reverse())
            runs.Add(await runner.DownAsync(script, ct));
        return new MigrationRun(runs, []);
    }

    /// <summary>Where the database stands. Reads only, and waits for nobody.</summary>
    public async Task<MigrationStatus> StatusAsync(CancellationToken ct = default)
    {
        await using var connection = await Session.OpenAsync(settings, ct);
        return MigrationStatus.Of(await Ledger.ReadAsync(connection, ct), scripts);
    }

    /// <summary>What <see cref="UpAsync"/> would run, with locks and a guess at the time. Reads only.</summary>
    public async Task<IReadOnlyList<PlannedScript>> PlanAsync(long? to = null, CancellationToken ct = default)
    {
        RequireKnown(to);
        await using var connection = await Session.OpenAsync(settings, ct);
        var status = await RequireSoundHistoryAsync(connection, ct);

        var plan = new List<PlannedScript>();
        foreach (var script in status.Waiting.Where(script => script.Version <= (to ?? long.MaxValue)))
        {
            var statements = new List<PlannedStatement>();
            foreach (var statement in script.Up.SelectMany(SqlText.Statements))
                statements.Add(await PlannedStatement.OfAsync(connection, statement, ct));
            plan.Add(new PlannedScript(script.Version, script.Name, script.RunsOutsideTransaction, script.IsCompatible, statements));
        }

        return plan;
    }

    /// <summary>
    /// Compares the schema with what the applied scripts make in a scratch database on the same server, which the role must be
    /// allowed to create; it is dropped again. Changes nothing in the database itself, and waits for a run in progress.
    /// </summary>
    public async Task<Verification> VerifyAsync(CancellationToken ct = default)
    {
        await using var connection = await Session.OpenAsync(settings, ct);
        await connection.LockAsync(output, ct);
        return await Verification.OfAsync(connection, settings, scripts, ct);
    }

    async Task<MigrationStatus> RequireSoundHistoryAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var status = MigrationStatus.Of(await Ledger.ReadAsync(connection, ct), scripts);
        return status.Problems.Count == 0 ? status : throw new MigrationException(string.Join(' ', status.Problems));
    }

    // They may rest on each other in an order that only the newer release knows.
    static void RequireNothingNewer(MigrationStatus status)
    {
        if (status.Newer.Count > 0)
            throw new MigrationException($"A newer release applied {status.NewerNames}: use its messaging-db.");
    }

    IEnumerable<Script> AppliedScripts(MigrationStatus status) => scripts.Except(status.Waiting);

    // A mistyped version must not take back half the schema.
    void RequireKnown(long? to)
    {
        if (to is { } version && !scripts.Knows(version))
            throw new MigrationException($"No script has the version {version}.");
    }
}
