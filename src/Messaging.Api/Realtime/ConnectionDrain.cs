using System.Diagnostics;
using Messaging.Api.Health;
using Messaging.Application.Events;
using NodaTime;

namespace Messaging.Api.Realtime;

/// <summary>What a connection is told before its node goes down.</summary>
/// <param name="ReconnectInMs">
/// When to connect anew; for each connection another time, so that other nodes are not asked by all at once.
/// </param>
public sealed record DrainingNotice(int ReconnectInMs)
{
    public const string EventName = "draining";
}

/// <summary>
/// Sends everyone elsewhere: each connection is told a random time after which to connect anew, and is closed a little after that if it is
/// still there and no call of it is under way.
/// </summary>
public sealed class ConnectionDrain(LiveConnections connections, ShutdownSettings settings, IClock clock)
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(100);

    /// <summary>From when a client was to connect anew until it is closed; a resuming client is there by then.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    /// <summary>For the last ones' sockets to be closed in order: what follows aborts them.</summary>
    private static readonly TimeSpan Farewell = TimeSpan.FromMilliseconds(250);

    /// <summary>Few connections need not be spread: other nodes take 50 a second with ease.</summary>
    private static readonly TimeSpan PerConnection = TimeSpan.FromMilliseconds(20);

    public async Task RunAsync(CancellationToken ct)
    {
        try
        {
            var begun = Stopwatch.GetTimestamp();
            var staying = Tell();
            while (connections.HasListeners)
            {
                var due = Stopwatch.GetElapsedTime(begun) - Grace;
                foreach (var (connection, _) in staying.Where(one => one.At <= due && one.Connection.IsIdle))
                    connection.Close();
                staying.RemoveAll(one => one.Connection.IsClosing);
                // Also who began to connect before.
                if (staying.Count == 0)
                    connections.CloseAll();
                await Task.Delay(Step, ct);
            }
            await Task.Delay(Farewell, ct);
        }
        finally
        {
            // When there is no time left.
            connections.CloseAll();
        }
    }

    private List<(LiveConnection Connection, TimeSpan At)> Tell()
    {
        var all = connections.All();
        var room = settings.DrainTimeout - Grace - Grace;
        var spread = all.Length * PerConnection < room ? all.Length * PerConnection : TimeSpan.FromTicks(Math.Max(room.Ticks, 0));
        var leaving = all.Select(connection => (Connection: connection, At: spread * Random.Shared.NextDouble())).ToList();
        foreach (var (connection, at) in leaving)
        {
            connection.Push(new EphemeralEnvelope(
                DrainingNotice.EventName, null, clock.GetCurrentInstant(), new DrainingNotice((int)at.TotalMilliseconds)));
        }
        return leaving;
    }
}
