using System.Diagnostics.Metrics;

namespace Messaging.Infrastructure.Push;

/// <summary>What is measured of pushes.</summary>
public static class PushMetrics
{
    public const string MeterName = "Messaging.Push";

    private static readonly Meter Meter = new(MeterName);

    private static readonly Counter<long> Pushes = Meter.CreateCounter<long>(
        "messaging.push.outcomes", "{push}", "What came of pushes, by provider and outcome: sent, retry, failed, bounced, withdrawn.");

    private static readonly Histogram<double> Durations = Meter.CreateHistogram<double>(
        "messaging.push.duration", "s", "How long providers took to answer.");

    public static void Count(string provider, string outcome) =>
        Pushes.Add(1, new KeyValuePair<string, object?>("provider", provider), new KeyValuePair<string, object?>("outcome", outcome));

    public static void Took(string provider, TimeSpan time) =>
        Durations.Record(time.TotalSeconds, new KeyValuePair<string, object?>("provider", provider));
}
