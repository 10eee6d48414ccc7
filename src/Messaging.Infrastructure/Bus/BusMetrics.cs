using System.Diagnostics.Metrics;

namespace Messaging.Infrastructure.Bus;

/// <summary>What operators see of the bus.</summary>
public static class BusMetrics
{
    public const string MeterName = "Messaging.Bus";

    internal static readonly Counter<long> Dropped = new Meter(MeterName).CreateCounter<long>(
        "messaging.bus.dropped", "{message}",
        "What came over the bus and was not taken, by reason: oversized, unsigned, stale (late, or sent twice), malformed.");

    internal static void Drop(string reason) => Dropped.Add(1, new KeyValuePair<string, object?>("reason", reason));
}
