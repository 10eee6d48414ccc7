using System.Data;
using System.Data.Common;
using System.Diagnostics;
using System.Globalization;
using FluentMigrator.Infrastructure;
using FluentMigrator.Runner;
using FluentMigrator.Runner.Processors;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Messaging.Migrations;

/// <summary>
/// FluentMigrator's runner on a connection that excludes every other run. It runs one script together with its row in
/// <c>VersionInfo</c>, again and again while a table is busy.
/// </summary>
sealed class ScriptRunner : IAsyncDisposable
{
    static readonly TimeSpan SignOfLifeEvery = TimeSpan.FromSeconds(10);
    static readonly TimeSpan StopEvery = TimeSpan.FromMilliseconds(100);

    const string LockTimeoutSql = """
        SELECT set_config('lock_timeout', @Milliseconds, false)
        """;

    const string CancelSql = """
        SELECT pg_cancel_backend(@Pid)
        """;

    readonly NpgsqlConnectionStringBuilder settings;
    readonly TextWriter output;
    readonly MigratorOptions options;
    readonly ServiceProvider services;
    readonly AsyncServiceScope scope;
    readonly MigrationRunner runner;

    ScriptRunner(NpgsqlConnectionStringBuilder settings, TextWriter output, MigratorOptions options)
    {
        (this.settings, this.output, this.options) = (settings, output, options);
        // Without a logger: FluentMigrator's lines hold the SQL, and with it whatever a script writes.
        services = new ServiceCollection()
            .AddFluentMigratorCore()
            .ConfigureRunner(builder => builder.AddPostgres15_0().WithGlobalConnectionString(settings.ConnectionString))
            .BuildServiceProvider();
        scope = services.CreateAsyncScope();
        runner = (MigrationRunner)scope.ServiceProvider.GetRequiredService<IMigrationRunner>();
    }

    /// <summary>FluentMigrator's own connection, which holds the lock as well: who loses it runs nothing more.</summary>
    public NpgsqlConnection Connection => (NpgsqlConnection)((GenericProcessorBase)runner.Processor).Connection;

    /// <summary>Connects, waits for other runs to end, and makes what is missing of <c>VersionInfo</c>.</summary>
    public static async Task<ScriptRunner> OpenAsync(
        NpgsqlConnectionStringBuilder settings, TextWriter output, MigratorOptions options, CancellationToken ct)
    {
        var made = new ScriptRunner(settings, output, options);
        try
        {
            // FluentMigrator opens it when it is first looked at.
            await Session.OpenAsync(settings, ct, () => made.Connection);
            await made.Connection.LockAsync(output, ct);
            await made.TryAsync("the ledger", options.LockTimeout, () => made.WorkAsync("the ledger", made.LoadLedger, ct), ct);
            return made;
        }
        catch
        {
            await made.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await scope.DisposeAsync();
        }
        catch (ObjectDisposedException)
        {
            // FluentMigrator rolls back once more what ended with a lost connection.
        }

        await services.DisposeAsync();
    }

    public Task<ScriptRun> UpAsync(Script script, CancellationToken ct) =>
        RunAsync(script, script.Up, rest => runner.ApplyMigrationUp(rest, !script.RunsOutsideTransaction), "applied", ct);

    public Task<ScriptRun> DownAsync(Script script, CancellationToken ct) =>
        RunAsync(script, script.Down, rest => runner.ApplyMigrationDown(rest, !script.RunsOutsideTransaction), "taken back", ct);

    async Task<ScriptRun> RunAsync(Script script, IReadOnlyList<string> sql, Action<IMigrationInfo> run, string done, CancellationToken ct)
    {
        // Waiting for older transactions is how a concurrent build works, and blocks nobody: a time-out would only waste the build.
        var lockTimeout = script.RunsOutsideTransaction ? TimeSpan.Zero : options.LockTimeout;
        var elapsed = await TryAsync(
            script.ToString(),
            lockTimeout,
            async () =>
            {
                var rest = script.RunsOutsideTransaction ? await RestOfAsync(script, sql, ct) : script;
                await WorkAsync(script.ToString(), () => run(rest), ct);
            },
            ct);
        await output.WriteLineAsync(Line($"{script}: {done} in {elapsed.TotalSeconds:0.00} s"));
        return new ScriptRun(script.Version, script.Name, elapsed);
    }

    // Anew with each try: FluentMigrator keeps what failed.
    void LoadLedger() => runner.VersionLoader = scope.ServiceProvider.GetRequiredService<IVersionLoader>();

    async Task<Script> RestOfAsync(Script script, IReadOnlyList<string> sql, CancellationToken ct)
    {
        var done = new HashSet<string>();
        foreach (var statement in sql)
        {
            if (await InvalidIndexes.IsDoneAlreadyAsync(Connection, script, statement, output, ct))
                done.Add(statement);
        }

        return new Script(script.Version, script.Description, new Rest(script.Migration, done), script.TransactionBehavior);
    }

    async Task<TimeSpan> TryAsync(string what, TimeSpan lockTimeout, Func<Task> work, CancellationToken ct)
    {
        var watch = Stopwatch.StartNew();
        for (var attempt = 1; ; attempt++)
        {
            ct.ThrowIfCancellationRequested();
            try
            {
                await Connection.ScalarAsync<string>(LockTimeoutSql, ct, ("Milliseconds", Line($"{lockTimeout.TotalMilliseconds:0}")));
                await work();
                return watch.Elapsed;
            }
            catch (Exception) when (ct.IsCancellationRequested)
            {
                throw new OperationCanceledException(ct);
            }
            catch (Exception e) when (Cause(e) is PostgresException busy && IsBusy(busy) && attempt < options.Tries)
            {
                var pause = PauseAfter(attempt);
                await output.WriteLineAsync(Line(
                    $"{what}: a table is busy ({busy.MessageText}); try {attempt + 1} of {options.Tries} in {pause.TotalSeconds:0.0} s"));
                await Task.Delay(pause, ct);
            }
            catch (Exception e)
            {
                var cause = Cause(e);
                throw new MigrationException(cause switch
                {
                    PostgresException refused => $"{what} failed: {refused.MessageText} ({refused.SqlState})",
                    NpgsqlException => $"{what}: the connection was lost; the next run goes on from here: {cause.Message}",
                    _ when Connection.State != ConnectionState.Open => $"{what}: the connection was lost; the next run goes on from here.",
                    _ => $"{what} failed: {cause.Message}",
                }, cause);
            }
        }
    }

    // FluentMigrator knows of no cancellation: the server is asked to stop what its connection runs, until that has ended.
    async Task WorkAsync(string what, Action work, CancellationToken ct)
    {
        var watch = Stopwatch.StartNew();
        var pid = Connection.ProcessID;
        var running = Task.Run(work, CancellationToken.None);
        while (!running.IsCompleted && await Task.WhenAny(running, Task.Delay(SignOfLifeEvery, ct)) != running)
        {
            if (!ct.IsCancellationRequested)
                await output.WriteLineAsync(Line($"{what}: still running after {watch.Elapsed.TotalSeconds:0} s"));
            else if (await Task.WhenAny(running, Task.Delay(StopEvery, CancellationToken.None)) != running)
                await StopAsync(pid);
        }

        await running;
    }

    async Task StopAsync(int pid)
    {
        await using var other = await Session.OpenAsync(settings, CancellationToken.None);
        await other.ScalarAsync<bool>(CancelSql, CancellationToken.None, ("Pid", pid));
    }

    // FluentMigrator's own exception repeats the SQL.
    static Exception Cause(Exception e) => e is DbException || e.InnerException is null ? e : Cause(e.InnerException);

    // Jitter keeps the tries from meeting whatever holds the table in step.
    TimeSpan PauseAfter(int attempt) => TimeSpan.FromSeconds(
        Math.Min(30, options.FirstPause.TotalSeconds * Math.Pow(2, attempt - 1)) * (0.5 + (Random.Shared.NextDouble() / 2)));

    static bool IsBusy(PostgresException e) =>
        e.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected;

    static string Line(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
