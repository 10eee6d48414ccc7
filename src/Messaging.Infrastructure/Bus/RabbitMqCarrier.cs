using System.Text;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace Messaging.Infrastructure.Bus;

/// <summary>
/// Carries the bus over a fanout exchange with a queue for each node, which goes with the node's connection. Nothing is kept on disk, and
/// the queue of a node that does not keep up loses its oldest.
/// </summary>
public sealed class RabbitMqCarrier(BusSettings settings, BusName name) : IBusCarrier
{
    private const ushort Unacknowledged = 100;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(1);

    private static readonly Dictionary<string, object?> Bounds = new(StringComparer.Ordinal)
    {
        ["x-max-length"] = BusQueue.Capacity,
        ["x-overflow"] = "drop-head",
        ["x-message-ttl"] = (int)BusQueue.Freshness.TotalMilliseconds,
    };

    public int AssumedNodes => 2;

    public async Task<IBusLink> ConnectAsync(BusHearer hear, CancellationToken ct)
    {
        var exchange = await name.GetAsync(ct);
        var link = new Link(await Factory().CreateConnectionAsync(ct), exchange);
        try
        {
            await link.OpenAsync(hear, ct);
            return link;
        }
        catch
        {
            await link.DisposeAsync();
            throw;
        }
    }

    private ConnectionFactory Factory() => new()
    {
        Uri = new Uri(settings.RabbitMq!),
        ClientProvidedName = "messaging",
        // A broken link is replaced as a whole, and everything declared anew: the broker may have been wiped.
        AutomaticRecoveryEnabled = false,
        RequestedHeartbeat = Patience,
        RequestedConnectionTimeout = Patience,
        HandshakeContinuationTimeout = Patience,
        ContinuationTimeout = Patience,
    };

    private sealed class Link(IConnection connection, string exchange) : IBusLink
    {
        private readonly TaskCompletionSource broken = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private IChannel? sending;

        public async Task OpenAsync(BusHearer hear, CancellationToken ct)
        {
            connection.ConnectionShutdownAsync += (_, end) => EndAsync(end.ReplyText);
            var listening = await OpenChannelAsync(ct);
            sending = await OpenChannelAsync(ct);
            await listening.ExchangeDeclareAsync(exchange, ExchangeType.Fanout, durable: false, cancellationToken: ct);
            var queue = await listening.QueueDeclareAsync("", exclusive: true, autoDelete: true, arguments: Bounds, cancellationToken: ct);
            await listening.QueueBindAsync(queue.QueueName, exchange, "", cancellationToken: ct);
            await listening.BasicQosAsync(0, Unacknowledged, global: false, ct);
            var consumer = new AsyncEventingBasicConsumer(listening);
            consumer.UnregisteredAsync += (_, _) => EndAsync("The broker has removed this node's queue.");
            consumer.ReceivedAsync += async (_, delivery) =>
            {
                hear(delivery.Body.Span);
                // Only so that what this node has not taken yet waits in its bounded queue.
                await listening.BasicAckAsync(delivery.DeliveryTag, multiple: false);
            };
            await listening.BasicConsumeAsync(queue.QueueName, autoAck: false, consumer, ct);
        }

        public async Task SendAsync(string payload, CancellationToken ct)
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
            patience.CancelAfter(Patience);
            await sending!.BasicPublishAsync(exchange, "", Encoding.UTF8.GetBytes(payload), patience.Token);
        }

        public Task WatchAsync(CancellationToken ct) => broken.Task.WaitAsync(ct);

        public async ValueTask DisposeAsync()
        {
            await connection.AbortAsync(Farewell);
            await connection.DisposeAsync();
        }

        private async Task<IChannel> OpenChannelAsync(CancellationToken ct)
        {
            var channel = await connection.CreateChannelAsync(cancellationToken: ct);
            channel.ChannelShutdownAsync += (_, end) => EndAsync(end.ReplyText);
            return channel;
        }

        private Task EndAsync(string reason)
        {
            broken.TrySetException(new IOException($"The connection to RabbitMQ has ended: {reason}"));
            return Task.CompletedTask;
        }
    }
}
