using System.Diagnostics;
using System.Net;
using Messaging.Postgres;

namespace Messaging.Start;

/// <summary>The service as a child process, logging to a file so that it outlives a killed launcher.</summary>
sealed class ServiceProcess : IDisposable
{
    static readonly TimeSpan ReadyPatience = TimeSpan.FromSeconds(60);

    readonly Process process;
    readonly string log;

    ServiceProcess(Process process, ProcessIdentity identity, string log)
    {
        this.process = process;
        this.log = log;
        Identity = identity;
    }

    /// <summary>How long draining may take before the service is killed.</summary>
    public static TimeSpan DrainPatience { get; } = TimeSpan.FromSeconds(20);

    public ProcessIdentity Identity { get; }

    public static ServiceProcess Start(string root, IReadOnlyDictionary<string, string> environment, string log)
    {
        var assembly = Path.Combine(root, "src", "Messaging.Api", "bin", "Release", "net10.0", "Messaging.Api.dll");
        // The shell gives way to the service, which keeps its pid: a pipe to the launcher would break with the launcher.
        var start = new ProcessStartInfo(
            "/bin/sh", ["-c", "log=$1; shift; exec \"$@\" >\"$log\" 2>&1", "sh", log, Environment.ProcessPath!, assembly, "serve"])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            WorkingDirectory = Path.Combine(root, "src", "Messaging.Api"),
        };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;

        var child = Process.Start(start)!;
        child.StandardInput.Close();
        return new(child, ProcessIdentity.Of(child.Id) ?? new(child.Id, ""), log);
    }

    public async Task WaitUntilReadyAsync(HttpClient client, CancellationToken ct)
    {
        var waited = Stopwatch.StartNew();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (!await IsReadyAsync(client, ct))
        {
            if (process.HasExited)
                throw new StartException($"The service ended with {process.ExitCode} instead of starting.{LastLines()}");
            if (waited.Elapsed > ReadyPatience)
                throw new StartException($"The service is not ready after {ReadyPatience.TotalSeconds:0} s.{LastLines()}");
            await timer.WaitForNextTickAsync(ct);
        }
    }

    /// <summary>Returns when it is asked to stop, and throws if the service ends by itself before.</summary>
    public async Task WatchAsync(CancellationToken ct)
    {
        await process.WaitForExitAsync(ct);
        throw new StartException($"The service ended by itself with {process.ExitCode}.{LastLines()}");
    }

    public async Task StopAsync(CancellationToken impatient)
    {
        await Signals.StopAsync(Identity, DrainPatience, impatient);
        await process.WaitForExitAsync(CancellationToken.None);
    }

    public void Dispose() => process.Dispose();

    static async Task<bool> IsReadyAsync(HttpClient client, CancellationToken ct)
    {
        try
        {
            using var answer = await client.GetAsync(new Uri("health/ready", UriKind.Relative), ct);
            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    string LastLines()
    {
        var lines = File.Exists(log) ? File.ReadLines(log).TakeLast(20) : [];
        return $" Its log, {log}, ends with:\n{string.Join('\n', lines)}";
    }
}
