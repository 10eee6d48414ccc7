using System.Data.Common;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Npgsql;

namespace Messaging.Migrations;

/// <summary>The verbs: each runs, says what happened, and answers with its exit code and with what --json shows.</summary>
public sealed class Cli(ScriptSet scripts, TextWriter output, TextWriter errors)
{
    const int Done = 0;
    const int Failed = 1;
    const int WrongUse = 2;
    const int Waiting = 3;

    static readonly JsonSerializerOptions JsonStyle = new(JsonSerializerDefaults.Web);

    /// <summary>Runs the arguments of a process; its signals stop the run.</summary>
    public static async Task<int> MainAsync(IReadOnlyList<string> arguments, ScriptSet scripts)
    {
        using var stop = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        return await new Cli(scripts, Console.Out, Console.Error).RunAsync(arguments, stop.Token);

        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stop.Cancel();
        }
    }

    async Task<int> RunAsync(IReadOnlyList<string> arguments, CancellationToken ct)
    {
        var json = arguments.Contains("--json", StringComparer.Ordinal);
        var (exitCode, result) = await AnswerAsync(arguments, json ? errors : output, ct);
        if (json)
        {
            var answer = (JsonObject)JsonSerializer.SerializeToNode(result, JsonStyle)!;
            answer.Insert(0, "exitCode", exitCode);
            await output.WriteLineAsync(answer.ToJsonString(JsonStyle));
        }

        return exitCode;
    }

    async Task<(int ExitCode, object Result)> AnswerAsync(IReadOnlyList<string> arguments, TextWriter progress, CancellationToken ct)
    {
        try
        {
            return await RunVerbAsync(CommandLine.Parse(arguments), progress, ct);
        }
        catch (UsageException e)
        {
            await errors.WriteLineAsync($"{e.Message} `messaging-db help` shows how.");
            return (WrongUse, new { error = e.Message });
        }
        catch (OperationCanceledException)
        {
            await errors.WriteLineAsync("Stopped; the next run goes on from here.");
            return (Failed, new { error = "Stopped" });
        }
        catch (Exception e) when (e is MigrationException or DbException or IOException)
        {
            var reason = e is PostgresException refused ? $"PostgreSQL refused: {refused.MessageText} ({refused.SqlState})" : e.Message;
            await errors.WriteLineAsync(reason);
            return (Failed, new { error = reason });
        }
    }

    async Task<(int ExitCode, object Result)> RunVerbAsync(CommandLine line, TextWriter progress, CancellationToken ct)
    {
        if (line.Verb == "help")
        {
            await progress.WriteLineAsync(CommandLine.Usage);
            return (Done, new { });
        }

        if (line.Verb == "create")
            return await CreateAsync(line, progress);

        if (line.To is { } to && !scripts.Knows(to))
            throw new UsageException($"No script has the version {to}.");
        var migrator = new Migrator(ConnectionOf(line), scripts, progress, new MigratorOptions { LockTimeout = line.LockTimeout });

        return line.Verb switch
        {
            "up" => await RanAsync(await migrator.UpAsync(line.To, ct), "Up to date.", progress),
            "down" => await RanAsync(await migrator.DownAsync(line.To!.Value, ct), "Nothing to take back.", progress),
            "plan" => await PlanAsync(await migrator.PlanAsync(line.To, ct), progress),
            "verify" => await VerifyAsync(await migrator.VerifyAsync(ct), progress),
            _ => await StatusAsync(await migrator.StatusAsync(ct), progress),
        };
    }

    static string ConnectionOf(CommandLine line)
    {
        var connection = line.Connection
            ?? Environment.GetEnvironmentVariable("ConnectionStrings__MessagingDirect")
            ?? Environment.GetEnvironmentVariable("ConnectionStrings__Messaging")
            ?? throw new UsageException("No connection: set ConnectionStrings__Messaging or give --connection.");
        return Session.Settings(connection) is null ? throw new UsageException(Migrator.UnreadableConnection) : connection;
    }

    static async Task<(int, object)> RanAsync(MigrationRun run, string otherwise, TextWriter progress)
    {
        await progress.WriteLineAsync(run.Scripts.Count == 0 ? otherwise : Invariant($"{run.Scripts.Count} scripts, done."));
        return (Done, run);
    }

    static async Task<(int, object)> StatusAsync(MigrationStatus status, TextWriter progress)
    {
        foreach (var row in status.Applied)
            await progress.WriteLineAsync(Invariant($"applied  {row.Version} {row.Name}  {row.AppliedOn:yyyy-MM-dd HH:mm:ss}Z"));
        foreach (var script in status.Waiting)
            await progress.WriteLineAsync($"waiting  {script}");
        foreach (var row in status.Newer)
            await progress.WriteLineAsync($"newer    {row}: compatible, this release runs beside it");
        foreach (var problem in status.Problems)
            await progress.WriteLineAsync($"PROBLEM  {problem}");

        var exitCode = status.Problems.Count > 0 ? Failed : status.Waiting.Count > 0 ? Waiting : Done;
        return (exitCode, new { status.Applied, Waiting = Names(status.Waiting), status.Newer, status.Problems });
    }

    static async Task<(int, object)> PlanAsync(IReadOnlyList<PlannedScript> plan, TextWriter progress)
    {
        foreach (var script in plan)
        {
            await progress.WriteLineAsync(
                $"{script.Version} {script.Name} "
                    + $"({(script.Compatible ? "compatible" : "breaking")}{(script.OutsideTransaction ? ", outside a transaction" : "")})");
            foreach (var statement in script.Statements)
            {
                await progress.WriteLineAsync($"    {statement.Text}");
                await progress.WriteLineAsync(Invariant(
                    $"        {statement.Table} {statement.Lock}; {statement.TableBytes / 1e6:0.0} MB, about {statement.Seconds:0.0} s"));
            }
        }

        await progress.WriteLineAsync(plan.Count == 0 ? "Nothing is waiting." : Invariant($"{plan.Count} scripts would run."));
        return (Done, new { scripts = plan });
    }

    static async Task<(int, object)> VerifyAsync(Verification verification, TextWriter progress)
    {
        foreach (var difference in verification.Differences)
            await progress.WriteLineAsync(difference);
        foreach (var script in verification.Waiting)
            await progress.WriteLineAsync($"waiting  {script}");
        await progress.WriteLineAsync(verification.IsEqual ? "Equal: the schema is what its applied scripts make." : "Different.");

        var exitCode = !verification.IsEqual ? Failed : verification.Waiting.Count > 0 ? Waiting : Done;
        return (exitCode, new { verification.IsEqual, verification.Differences, Waiting = Names(verification.Waiting) });
    }

    static async Task<(int, object)> CreateAsync(CommandLine line, TextWriter progress)
    {
        var file = NewScript.Create(NewScript.FindFolder(Environment.CurrentDirectory), line.Name!, DateOnly.FromDateTime(DateTime.UtcNow));
        await progress.WriteLineAsync(file);
        await progress.WriteLineAsync("Say in it whether the release before it runs beside it: `(compatible)` in place of `(breaking)`.");
        return (Done, new { file });
    }

    static IEnumerable<object> Names(IEnumerable<Script> scripts) => scripts.Select(script => new { script.Version, script.Name });

    static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
