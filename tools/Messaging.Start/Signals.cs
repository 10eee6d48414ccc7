using System.Diagnostics;
using System.Runtime.InteropServices;
using Messaging.Postgres;

namespace Messaging.Start;

// A process that has gone meanwhile is what is wanted, so the answers of kill(2) do not matter.
static partial class Signals
{
    const int SigTerm = 15;
    const int SigKill = 9;

    /// <summary>Asks a process to end and kills it if it has not within <paramref name="patience"/>.</summary>
    public static async Task StopAsync(ProcessIdentity process, TimeSpan patience, CancellationToken impatient)
    {
        if (process.IsAlive)
            _ = Send(process.Pid, SigTerm);

        var waited = Stopwatch.StartNew();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (process.IsAlive && waited.Elapsed < patience && !impatient.IsCancellationRequested)
            await timer.WaitForNextTickAsync(CancellationToken.None);

        if (process.IsAlive)
            _ = Send(process.Pid, SigKill);
    }

    public static void Terminate(int pid) => _ = Send(pid, SigTerm);

    [LibraryImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Send(int pid, int signal);
}
