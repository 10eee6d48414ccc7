using System.Diagnostics;
using Messaging.Benchmarks.Measures;

namespace Messaging.Benchmarks.Load;

/// <summary>Clients that each begin their next piece of work when the last is done.</summary>
static class ClosedLoop
{
    /// <param name="work">What the client of a number does once; false when it went wrong.</param>
    public static async Task<Timings> RunAsync(int clients, TimeSpan length, Func<int, ValueTask<bool>> work, CancellationToken ct)
    {
        var start = Stopwatch.GetTimestamp();
        var end = start + (long)(length.TotalSeconds * Stopwatch.Frequency);
        var results = await Task.WhenAll(
            Enumerable.Range(0, clients).Select(client => Task.Run(() => LoopAsync(client, end, work, ct), ct)));
        var elapsed = Stopwatch.GetElapsedTime(start);
        var ticks = results.SelectMany(result => result.Ticks).ToArray();
        Array.Sort(ticks);
        return new Timings(elapsed, ticks, results.Sum(result => result.Failures));
    }

    static async Task<(List<long> Ticks, int Failures)> LoopAsync(
        int client, long end, Func<int, ValueTask<bool>> work, CancellationToken ct)
    {
        var ticks = new List<long>(16_384);
        var failures = 0;
        for (var before = Stopwatch.GetTimestamp(); before < end && !ct.IsCancellationRequested;)
        {
            if (!await work(client))
                failures++;
            var after = Stopwatch.GetTimestamp();
            ticks.Add(after - before);
            before = after;
        }

        return (ticks, failures);
    }
}
