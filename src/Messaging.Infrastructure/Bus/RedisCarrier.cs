using StackExchange.Redis;

namespace Messaging.Infrastructure.Bus;

/// <summary>Carries the bus over a channel of Redis, which keeps nothing.</summary>
public sealed class RedisCarrier(BusSettings settings, BusName name) : IBusCarrier
{
    private const int PatienceMilliseconds = 5_000;

    public int AssumedNodes => 2;

    public async Task<IBusLink> ConnectAsync(BusHearer hear, CancellationToken ct)
    {
        var channel = RedisChannel.Literal(await name.GetAsync(ct));
        var options = settings.RedisOptions()!;
        options.ClientName = "messaging";
        options.AbortOnConnectFail = true;
        options.ConnectRetry = 1;
        (options.ConnectTimeout, options.AsyncTimeout) = (PatienceMilliseconds, PatienceMilliseconds);
        // A broken link is replaced as a whole; nothing is to wait in it meanwhile.
        options.BacklogPolicy = BacklogPolicy.FailFast;
        options.IncludeDetailInExceptions = false;
        var link = new Link(await ConnectionMultiplexer.ConnectAsync(options).WaitAsync(ct), channel);
        try
        {
            await link.OpenAsync(hear);
            return link;
        }
        catch
        {
            await link.DisposeAsync();
            throw;
        }
    }

    private sealed class Link(ConnectionMultiplexer connection, RedisChannel channel) : IBusLink
    {
        private readonly TaskCompletionSource broken = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public async Task OpenAsync(BusHearer hear)
        {
            connection.ConnectionFailed += (_, end) =>
                broken.TrySetException(new IOException($"The connection to Redis has ended: {end.FailureType}"));
            var messages = await connection.GetSubscriber().SubscribeAsync(channel);
            messages.OnMessage(message => hear(((ReadOnlyMemory<byte>)message.Message).Span));
        }

        public Task SendAsync(string payload, CancellationToken ct) =>
            connection.GetSubscriber().PublishAsync(channel, payload).WaitAsync(ct);

        public Task WatchAsync(CancellationToken ct) => broken.Task.WaitAsync(ct);

        public async ValueTask DisposeAsync() => await connection.DisposeAsync();
    }
}
