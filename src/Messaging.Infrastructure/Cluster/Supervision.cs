using Microsoft.Extensions.Logging;

namespace Messaging.Infrastructure.Cluster;

/// <summary>
/// Keeps a worker running: exceptions are logged and it is restarted a little later, because an exception would stop the host.
/// </summary>
public static class Supervision
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    public static async Task KeepRunningAsync(ILogger logger, Func<CancellationToken, Task> work, CancellationToken ct)
    {
        var pause = FirstPause;
        while (!ct.IsCancellationRequested)
        {
            var started = TimeProvider.System.GetTimestamp();
            try
            {
                await work(ct);
                pause = FirstPause;
            }
            catch (Exception e) when (!ct.IsCancellationRequested)
            {
                if (TimeProvider.System.GetElapsedTime(started) > LongestPause)
                    pause = FirstPause;
                logger.LogWarning(e, "Starting again in {Milliseconds} ms", pause.TotalMilliseconds);
                await Task.Delay(pause, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }
}
