using System.Globalization;
using Messaging.Api.Health;
using Messaging.Api.Realtime;
using Messaging.Application.Revocations;
using NodaTime;

namespace Messaging.Api.Tests.Realtime;

public sealed class ConnectionDrainTests
{
    // 20 ms for each of them.
    [Test]
    public async Task Connections_are_told_to_connect_anew_at_times_of_their_own()
    {
        var connections = new LiveConnections(new RevocationList(TimeProvider.System));
        var wires = Enumerable.Range(0, 50).Select(_ => new Wire()).ToList();
        for (var i = 0; i < wires.Count; i++)
            connections.TryAdd($"user-{i}", new LiveConnection(wires[i], beginsWithReplay: false), most: 1);
        using var stop = new CancellationTokenSource();

        var draining = new ConnectionDrain(connections, new ShutdownSettings(), SystemClock.Instance).RunAsync(stop.Token);
        foreach (var wire in wires)
            await wire.HasAsync(1);
        await stop.CancelAsync();

        Assert.That(() => draining, Throws.InstanceOf<OperationCanceledException>());
        var times = wires.ConvertAll(wire => int.Parse(wire.Written.Single(), CultureInfo.InvariantCulture));
        Assert.That(times, Is.All.InRange(0, 1_000));
        Assert.That(times.Distinct().Count(), Is.GreaterThan(25));
    }
}
