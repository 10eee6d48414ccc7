using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Messaging.Infrastructure.Webhooks;

namespace Messaging.Api.Tests.Webhooks;

/// <summary>What operators are told of webhooks meanwhile: of each measurement the instrument and its tags.</summary>
sealed class WebhookMeter : IDisposable
{
    private readonly MeterListener listener = new();

    public WebhookMeter()
    {
        listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == WebhookMetrics.MeterName)
                listener.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, _, tags, _) => Note(instrument, tags));
        listener.SetMeasurementEventCallback<double>((instrument, _, tags, _) => Note(instrument, tags));
        listener.Start();
    }

    public ConcurrentQueue<string> Said { get; } = [];

    /// <summary>Asks for what is told only then.</summary>
    public void Ask() => listener.RecordObservableInstruments();

    public void Dispose() => listener.Dispose();

    private void Note(Instrument instrument, ReadOnlySpan<KeyValuePair<string, object?>> tags) =>
        Said.Enqueue(string.Join(' ', [instrument.Name["messaging.webhooks.".Length..], .. tags.ToArray().Select(tag => $"{tag.Value}")]));
}
