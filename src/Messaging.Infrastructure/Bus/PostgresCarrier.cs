using Messaging.Infrastructure.Database;
using Npgsql;
using NpgsqlTypes;

namespace Messaging.Infrastructure.Bus;

/// <summary>Carries the bus by <c>NOTIFY</c>, on connections of its own and never in a command's transaction.</summary>
public sealed class PostgresCarrier(DirectDataSource database) : IBusCarrier
{
    public const string Channel = "messaging_bus";

    private const string ListenSql = $"LISTEN {Channel}";

    private const string NotifySql = $"SELECT pg_notify('{Channel}', @Payload)";

    public int AssumedNodes => 1;

    public async Task<IBusLink> ConnectAsync(Action<string> hear, CancellationToken ct)
    {
        var link = new Link(await database.Value.OpenConnectionAsync(ct));
        try
        {
            await link.OpenAsync(await database.Value.OpenConnectionAsync(ct), hear, ct);
            return link;
        }
        catch
        {
            await link.DisposeAsync();
            throw;
        }
    }

    private sealed class Link(NpgsqlConnection listening) : IBusLink
    {
        private NpgsqlConnection? sending;
        private NpgsqlCommand? notify;

        public async Task OpenAsync(NpgsqlConnection second, Action<string> hear, CancellationToken ct)
        {
            sending = second;
            notify = new NpgsqlCommand(NotifySql, sending) { Parameters = { new NpgsqlParameter("Payload", NpgsqlDbType.Text) } };
            await notify.PrepareAsync(ct);
            listening.Notification += (_, word) => hear(word.Payload);
            await using var listen = new NpgsqlCommand(ListenSql, listening);
            await listen.ExecuteNonQueryAsync(ct);
        }

        public Task SendAsync(string payload, CancellationToken ct)
        {
            notify!.Parameters[0].Value = payload;
            return notify.ExecuteNonQueryAsync(ct);
        }

        public async Task WatchAsync(CancellationToken ct)
        {
            while (true)
                await listening.WaitAsync(ct);
        }

        public async ValueTask DisposeAsync()
        {
            await listening.DisposeAsync();
            if (notify is not null)
                await notify.DisposeAsync();
            if (sending is not null)
                await sending.DisposeAsync();
        }
    }
}
