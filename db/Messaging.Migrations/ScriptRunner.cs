using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace Messaging.Migrations;

/// <summary>Runs one script together with its row in the ledger, or makes the ledger, again and again while a table is busy.</summary>
sealed class ScriptRunner(NpgsqlConnection connection, TextWriter output, MigratorOptions options)
{
    static readonly TimeSpan SignOfLifeEvery = TimeSpan.FromSeconds(10);

    const string LockTimeoutSql = """
        SELECT set_config('lock_timeout', @Milliseconds, false)
        """;

    public async Task<ScriptRun> UpAsync(Script script, CancellationToken ct)
    {
        var elapsed = await RunAsync(script, script.Up, script.UpRunsOutsideTransaction, () => Ledger.AddAsync(connection, script, ct), ct);
        await output.WriteLineAsync(Line($"{script}: applied in {elapsed.TotalSeconds:0.00} s"));
        return new ScriptRun(script.Version, script.Name, elapsed);
    }

    public async Task<ScriptRun> DownAsync(Script script, CancellationToken ct)
    {
        var elapsed = await RunAsync(script, script.Down, script.DownRunsOutsideTransaction, () => Ledger.RemoveAsync(connection, script, ct), ct);
        await output.WriteLineAsync(Line($"{script}: taken back in {elapsed.TotalSeconds:0.00} s"));
        return new ScriptRun(script.Version, script.Name, elapsed);
    }

    /// <summary>Makes what is missing of the ledger; waits for nobody when nothing is.</summary>
    public async Task CreateLedgerAsync(CancellationToken ct)
    {
        if (!await Ledger.IsCompleteAsync(connection, ct))
            await TryAsync("the ledger", () => InTransactionAsync(() => Ledger.CreateAsync(connection, ct), ct), ct);
    }

    Task<TimeSpan> RunAsync(Script script, string sql, bool outsideTransaction, Func<Task> record, CancellationToken ct) => TryAsync(
        script.ToString(),
        () => WithSignsOfLifeAsync(
            script,
            outsideTransaction
                ? OutsideTransactionAsync(script, sql, record, ct)
                : InTransactionAsync(() => RunAndRecordAsync(sql, record, ct), ct)),
        ct);

    async Task<TimeSpan> TryAsync(string what, Func<Task> work, CancellationToken ct)
    {
        var watch = Stopwatch.StartNew();
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await work();
                return watch.Elapsed;
            }
            catch (PostgresException e) when (IsBusy(e) && attempt < options.Tries)
            {
                var pause = PauseAfter(attempt);
                await output.WriteLineAsync(Line(
                    $"{what}: a table is busy ({e.MessageText}); try {attempt + 1} of {options.Tries} in {pause.TotalSeconds:0.0} s"));
                await Task.Delay(pause, ct);
            }
            catch (PostgresException e)
            {
                throw new MigrationException($"{what} failed: {e.MessageText} ({e.SqlState})", e);
            }
            catch (NpgsqlException e)
            {
                throw new MigrationException($"{what}: the connection was lost; the next run goes on from here: {e.Message}", e);
            }
        }
    }

    async Task InTransactionAsync(Func<Task> work, CancellationToken ct)
    {
        await SetLockTimeoutAsync(options.LockTimeout, ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await work();
        await transaction.CommitAsync(ct);
    }

    async Task RunAndRecordAsync(string sql, Func<Task> record, CancellationToken ct)
    {
        await connection.ExecuteAsync(sql, ct);
        await record();
    }

    async Task OutsideTransactionAsync(Script script, string sql, Func<Task> record, CancellationToken ct)
    {
        // Waiting for older transactions is how a concurrent build works, and blocks nobody: a time-out would only waste the build.
        var concurrently = SqlText.Statements(sql)[0].Contains("INDEX CONCURRENTLY", StringComparison.OrdinalIgnoreCase);
        await SetLockTimeoutAsync(concurrently ? TimeSpan.Zero : options.LockTimeout, ct);

        if (!await InvalidIndexes.IsDoneAlreadyAsync(connection, script, sql, output, ct))
            await connection.ExecuteAsync(sql, ct);
        await record();
    }

    Task<int> SetLockTimeoutAsync(TimeSpan timeout, CancellationToken ct) => connection.ExecuteAsync(
        LockTimeoutSql, ct, ("Milliseconds", Line($"{timeout.TotalMilliseconds:0}")));

    async Task WithSignsOfLifeAsync(Script script, Task work)
    {
        var watch = Stopwatch.StartNew();
        while (!work.IsCompleted)
        {
            if (await Task.WhenAny(work, Task.Delay(SignOfLifeEvery, CancellationToken.None)) != work)
                await output.WriteLineAsync(Line($"{script}: still running after {watch.Elapsed.TotalSeconds:0} s"));
        }

        await work;
    }

    // Jitter keeps the tries from meeting whatever holds the table in step.
    TimeSpan PauseAfter(int attempt) => TimeSpan.FromSeconds(
        Math.Min(30, options.FirstPause.TotalSeconds * Math.Pow(2, attempt - 1)) * (0.5 + (Random.Shared.NextDouble() / 2)));

    static bool IsBusy(PostgresException e) =>
        e.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected;

    static string Line(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
