using System.Globalization;

namespace Messaging.Benchmarks.Measures;

/// <summary>What processes cost, as Linux counts it in /proc.</summary>
static class ProcessCpu
{
    const double TicksPerSecond = 100;

    /// <summary>CPU seconds of one process.</summary>
    public static double OfProcess(int pid) => Stat(pid) is { } stat ? Seconds(stat, 11, 12) : 0;

    /// <summary>CPU seconds of a process, of its children, and of those that have ended.</summary>
    public static double OfFamily(int pid) =>
        (Stat(pid) is { } parent ? Seconds(parent, 11, 14) : 0)
        + Pids().Select(Stat).Where(stat => stat is not null && int.Parse(stat[1], CultureInfo.InvariantCulture) == pid)
            .Sum(stat => Seconds(stat!, 11, 12));

    /// <summary>MiB of memory: resident, and the proportional share of what is shared with others.</summary>
    public static (double Resident, double Proportional) Memory(int pid)
    {
        var lines = File.ReadAllLines($"/proc/{pid}/smaps_rollup");
        return (MiB("Rss:"), MiB("Pss:"));

        double MiB(string name) => double.Parse(
            lines.First(line => line.StartsWith(name, StringComparison.Ordinal))[name.Length..].Replace("kB", "", StringComparison.Ordinal),
            CultureInfo.InvariantCulture) / 1024;
    }

    static IEnumerable<int> Pids() =>
        Directory.EnumerateDirectories("/proc")
            .Select(folder => int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var pid) ? pid : 0)
            .Where(pid => pid > 0);

    // The fields after the name, which is in parentheses and may hold anything: state, parent, …; utime is the 12th, then stime, and the
    // children's.
    static string[]? Stat(int pid)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{pid}/stat");
            return text[(text.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return null;
        }
    }

    static double Seconds(string[] stat, int from, int to) =>
        stat[from..(to + 1)].Sum(field => long.Parse(field, CultureInfo.InvariantCulture)) / TicksPerSecond;
}
