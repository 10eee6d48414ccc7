using System.Text.Json;
using Messaging.Postgres;
using Messaging.Testing;

namespace Messaging.EndToEnd.Tests;

/// <summary>One run of start.sh with a data folder of its own and a free port.</summary>
sealed class StartedMessaging : IDisposable
{
    readonly ChildProcess process;
    readonly string dataFolder;

    StartedMessaging(ChildProcess process, string dataFolder)
    {
        this.process = process;
        this.dataFolder = dataFolder;
    }

    public string Output => process.Output;

    public string Errors => process.Errors;

    public JsonElement Announced => JsonElement.Parse(Output);

    /// <summary>The service and the PostgreSQL behind it; the launcher is the process itself.</summary>
    public IReadOnlyList<ProcessIdentity> Behind { get; private set; } = [];

    public static ChildProcess Launch(string dataFolder, params (string Name, string? Value)[] environment) => ChildProcess.Start(
        Repository.StartScript,
        ["--json"],
        [
            ("MESSAGING_DATA", dataFolder),
            ("ASPNETCORE_URLS", "http://127.0.0.1:0"),
            ("ConnectionStrings__Messaging", null),
            .. environment,
        ]);

    public static async Task<StartedMessaging> StartAsync(string dataFolder, params (string Name, string? Value)[] environment)
    {
        var started = new StartedMessaging(Launch(dataFolder, environment), dataFolder);
        await Eventually.HoldsAsync(() => started.Output.Length > 0 || started.process.HasExited, "start.sh tells where it runs");
        Assert.That(started.Output, Is.Not.Empty, started.Errors);
        started.Behind = started.FindBehind();
        return started;
    }

    /// <summary>SIGTERM, as Ctrl+C does; the exit code.</summary>
    public Task<int> StopAsync() => process.TerminateAsync();

    public Task<int> ExitAsync() => process.ExitAsync();

    public Task KillAsync() => process.KillAsync();

    public void Dispose()
    {
        process.Dispose();
        foreach (var behind in Behind.Where(behind => behind.IsAlive))
            System.Diagnostics.Process.GetProcessById(behind.Pid).Kill();
    }

    IReadOnlyList<ProcessIdentity> FindBehind()
    {
        var run = JsonElement.Parse(File.ReadAllText(Path.Combine(dataFolder, "run.json")));
        var service = run.GetProperty("service").GetProperty("pid").GetInt32();
        var pidFile = Path.Combine(dataFolder, "postgres", "cluster", "postmaster.pid");
        int[] postmaster = File.Exists(pidFile)
            ? [int.Parse(File.ReadLines(pidFile).First(), System.Globalization.CultureInfo.InvariantCulture)] : [];
        return [.. ((int[])[service, .. postmaster]).Select(pid => ProcessIdentity.Of(pid)!.Value)];
    }
}
