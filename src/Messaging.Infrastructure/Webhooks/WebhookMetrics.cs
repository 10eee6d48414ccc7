using System.Diagnostics.Metrics;

namespace Messaging.Infrastructure.Webhooks;

/// <summary>What operators see of webhooks.</summary>
public static class WebhookMetrics
{
    public const string MeterName = "Messaging.Webhooks";

    private static readonly Meter Meter = new(MeterName);
    private static double oldest;

    internal static readonly Counter<long> Calls = Meter.CreateCounter<long>(
        "messaging.webhooks.calls", "{call}", "Calls by outcome: delivered, failed (to be tried again), parked.");

    internal static readonly Histogram<double> Took = Meter.CreateHistogram<double>(
        "messaging.webhooks.duration", "s", "How long a call took.");

    internal static readonly Counter<long> Disabled = Meter.CreateCounter<long>(
        "messaging.webhooks.disabled", "{webhook}", "Webhooks that the service has stopped calling, by reason.");

    internal static readonly Counter<long> Unrendered = Meter.CreateCounter<long>(
        "messaging.webhooks.unrendered", "{event}", "Events that could not be rendered for webhooks.");

    static WebhookMetrics() => Meter.CreateObservableGauge(
        "messaging.webhooks.backlog.age", () => Volatile.Read(ref oldest), "s",
        "How long the oldest delivery has waited, of the webhooks that are enabled.");

    internal static void Waits(double seconds) => Volatile.Write(ref oldest, seconds);
}
