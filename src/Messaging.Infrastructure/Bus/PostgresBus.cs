using Messaging.Infrastructure.Database;
using Messaging.Infrastructure.Events;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;

namespace Messaging.Infrastructure.Bus;

/// <summary>
/// Carries the bus by <c>NOTIFY</c>, on connections of its own and never in a command's transaction. What is published within a moment goes
/// in one notification; what a broken connection carried is lost.
/// </summary>
public sealed class PostgresBus(DirectDataSource database, BusQueue queue, ILogger<PostgresBus> logger) : BackgroundService
{
    public const string Channel = "messaging_bus";

    private const string ListenSql = $"LISTEN {Channel}";

    private const string NotifySql = $"SELECT pg_notify('{Channel}', @Payload)";

    // PostgreSQL takes less than 8,000 bytes.
    private const int MaxPayload = 7_500;

    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LastMoment = TimeSpan.FromSeconds(1);

    private readonly TaskCompletionSource allSent = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Sends what waits, such as a goodbye, before it ends.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        queue.Complete();
        await allSent.Task.WaitAsync(LastMoment, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await base.StopAsync(cancellationToken);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(
        Supervision.KeepRunningAsync(logger, ListenAsync, stoppingToken),
        Supervision.KeepRunningAsync(logger, SendAsync, stoppingToken));

    private async Task ListenAsync(CancellationToken ct)
    {
        await using var connection = await database.Value.OpenConnectionAsync(ct);
        connection.Notification += (_, word) => queue.Hear(word.Payload);
        await using (var listen = new NpgsqlCommand(ListenSql, connection))
            await listen.ExecuteNonQueryAsync(ct);
        queue.Connected();
        while (true)
            await connection.WaitAsync(ct);
    }

    private async Task SendAsync(CancellationToken ct)
    {
        await using var connection = await database.Value.OpenConnectionAsync(ct);
        await using var notify = new NpgsqlCommand(
            NotifySql, connection) { Parameters = { new NpgsqlParameter("Payload", NpgsqlDbType.Text) } };
        await notify.PrepareAsync(ct);
        while (await queue.WaitAsync(ct))
        {
            await Task.Delay(Moment, ct);
            while (queue.Take(MaxPayload) is { } payload)
            {
                notify.Parameters[0].Value = payload;
                await notify.ExecuteNonQueryAsync(ct);
            }
        }
        allSent.TrySetResult();
        await Task.Delay(Timeout.InfiniteTimeSpan, ct);
    }
}
