using System.Diagnostics;

namespace Messaging.Benchmarks.Load;

/// <summary>Work begun at a fixed rate, whether or not what was begun before is done.</summary>
static class OpenLoop
{
    /// <param name="work">Given the worker and the number of the piece of work; false when it went wrong.</param>
    /// <returns>How many pieces were begun, and how many of them went wrong.</returns>
    public static async Task<(int Begun, int Failures)> RunAsync(
        int workers, int perSecond, TimeSpan length, Func<int, int, ValueTask<bool>> work, CancellationToken ct)
    {
        var count = (int)(perSecond * length.TotalSeconds);
        var start = Stopwatch.GetTimestamp();
        var failures = await Task.WhenAll(Enumerable.Range(0, workers).Select(worker => Task.Run(async () =>
        {
            var failed = 0;
            for (var piece = worker; piece < count && !ct.IsCancellationRequested; piece += workers)
            {
                var wait = TimeSpan.FromSeconds(piece / (double)perSecond) - Stopwatch.GetElapsedTime(start);
                if (wait > TimeSpan.Zero)
                    await Task.Delay(wait, ct);
                if (!await work(worker, piece))
                    failed++;
            }

            return failed;
        }, ct)));
        return (count, failures.Sum());
    }
}
