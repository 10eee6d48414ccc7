using System.Text;
using Messaging.Infrastructure.Database;
using Npgsql;
using NpgsqlTypes;

namespace Messaging.Infrastructure.Bus;

/// <summary>
/// Carries the bus by <c>NOTIFY</c>, never in a command's transaction. Listens on a connection of its own; for sending, one of the pool's
/// will do, since each word waits for the one before.
/// </summary>
public sealed class PostgresCarrier(DirectDataSource database) : IBusCarrier
{
    public const string Channel = "messaging_bus";

    private const string ListenSql = $"LISTEN {Channel}";

    private const string NotifySql = $"SELECT pg_notify('{Channel}', @Payload)";

    public int AssumedNodes => 1;

    public async Task<IBusLink> ConnectAsync(BusHearer hear, CancellationToken ct)
    {
        var link = new Link(database.Value, await database.Value.OpenConnectionAsync(ct));
        try
        {
            await link.ListenAsync(hear, ct);
            return link;
        }
        catch
        {
            await link.DisposeAsync();
            throw;
        }
    }

    private sealed class Link(NpgsqlDataSource pool, NpgsqlConnection listening) : IBusLink
    {
        public async Task ListenAsync(BusHearer hear, CancellationToken ct)
        {
            listening.Notification += (_, word) => hear(Encoding.UTF8.GetBytes(word.Payload));
            await using var listen = new NpgsqlCommand(ListenSql, listening);
            await listen.ExecuteNonQueryAsync(ct);
        }

        public async Task SendAsync(string payload, CancellationToken ct)
        {
            await using var notify = pool.CreateCommand(NotifySql);
            notify.Parameters.Add(new NpgsqlParameter("Payload", NpgsqlDbType.Text) { Value = payload });
            await notify.ExecuteNonQueryAsync(ct);
        }

        public async Task WatchAsync(CancellationToken ct)
        {
            while (true)
                await listening.WaitAsync(ct);
        }

        public ValueTask DisposeAsync() => listening.DisposeAsync();
    }
}
