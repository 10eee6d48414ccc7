using System.Globalization;
using Messaging.Application.Events;
using Messaging.Infrastructure.Database;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Messaging.Infrastructure.Events;

/// <summary>
/// Hears from other nodes' sequencer that the feed has grown. Losing the connection loses no event: the reader polls, too.
/// </summary>
public sealed class FeedListener(DirectDataSource database, FeedSignal signal, ILogger<FeedListener> logger) : BackgroundService
{
    public const string Channel = "messaging_feed";

    private const string ListenSql = $"LISTEN {Channel}";

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Supervision.KeepRunningAsync(logger, ListenAsync, stoppingToken);

    private async Task ListenAsync(CancellationToken ct)
    {
        await using var connection = await database.Value.OpenConnectionAsync(ct);
        connection.Notification += (_, word) =>
        {
            if (long.TryParse(word.Payload, NumberStyles.None, CultureInfo.InvariantCulture, out var position))
                signal.Announce(position);
        };
        await using (var listen = new NpgsqlCommand(ListenSql, connection))
            await listen.ExecuteNonQueryAsync(ct);
        while (true)
            await connection.WaitAsync(ct);
    }
}
