using System.Diagnostics;
using System.Globalization;

namespace Messaging.Postgres;

/// <summary>A process told apart from a later one with the same pid by when it started.</summary>
public readonly record struct ProcessIdentity(int Pid, string Started)
{
    public static ProcessIdentity Current { get; } = Of(Environment.ProcessId)
        ?? throw new InvalidOperationException("The running process is not found among the processes.");

    public bool IsAlive => Of(Pid) == this;

    /// <summary>Null when no such process runs; one that has ended but was not yet waited for does not run.</summary>
    public static ProcessIdentity? Of(int pid)
    {
        try
        {
            if (OperatingSystem.IsLinux())
                return FromProc(pid);

            using var process = Process.GetProcessById(pid);
            return new(pid, process.StartTime.ToUniversalTime().Ticks.ToString(CultureInfo.InvariantCulture));
        }
        catch (Exception exception)
            when (exception is IOException or UnauthorizedAccessException or ArgumentException or InvalidOperationException)
        {
            return null;
        }
    }

    // The start is counted in ticks since boot: unlike a time of day it reads the same from every process, whatever the clock does.
    static ProcessIdentity? FromProc(int pid)
    {
        var stat = File.ReadAllText($"/proc/{pid}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return fields[0] is "Z" or "X" ? null : new(pid, fields[19]);
    }
}
