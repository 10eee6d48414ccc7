using System.Diagnostics;
using System.Globalization;
using Messaging.Application.Events;
using Messaging.Infrastructure.Database;
using Messaging.Infrastructure.Events;
using Messaging.Postgres;
using Messaging.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Messaging.Application.Tests.Events;

/// <summary>Moves do not wait for the disk: a server that dies may take some back that were heard of already.</summary>
public sealed class CrashedServerTests
{
    private readonly string folder = Path.Combine(Path.GetTempPath(), $"messaging-crash-{Guid.NewGuid():N}");

    [OneTimeTearDown]
    public void Delete() => Directory.Delete(folder, recursive: true);

    [Test]
    public async Task Events_lost_from_the_feed_in_a_crash_are_moved_again_under_new_positions()
    {
        var server = await PrivatePostgres.StartAsync(PrivatePostgresOptions.Persistent(folder), CancellationToken.None);
        await Slices.MigrateAsync(server.ConnectionString);
        long[] heard;
        await using (await LeadAsync(server))
        {
            // A new leader truncates other parts of the outbox, which makes durable what came before.
            await AppendAsync(server, 1, upTo: 1);
            await AppendAsync(server, 1, upTo: 2);
            await KillAsync("STOP", await ScalarAsync<int>(server, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'"));
            await AppendAsync(server, 20, upTo: 22);
            heard = await ScalarAsync<long[]>(server, "SELECT array_agg(position ORDER BY position) FROM feed");
            await CrashAsync(server);
        }

        await using var again = await PrivatePostgres.StartAsync(PrivatePostgresOptions.Persistent(folder), CancellationToken.None);
        var left = await ScalarAsync<long>(again, "SELECT count(*) FROM feed");
        await using var leader = await LeadAsync(again);
        await AppendAsync(again, 0, upTo: 22);

        Assert.That((heard.Length, left), Is.EqualTo((22, 2)));
        Assert.That(await ScalarAsync<long>(again,
            "SELECT min(position) FROM (SELECT position FROM feed ORDER BY position DESC LIMIT 20) moved"), Is.GreaterThan(heard.Max()));
    }

    private static Task<Running> LeadAsync(PrivatePostgres server)
    {
        var direct = new DirectDataSource(NpgsqlDataSource.Create(server.ConnectionString));
        return Running.StartAsync(new Sequencer(
            direct, new OutboxSignal(), new MovedEvents(), new FeedSignal(), new Partitions(direct), NullLogger<Sequencer>.Instance));
    }

    private static async Task AppendAsync(PrivatePostgres server, int events, int upTo)
    {
        await ExecuteAsync(
            server, $"INSERT INTO outbox (occurred_at, user_id, type, payload) SELECT clock_timestamp(), 'ada', 'test', '{{}}' "
                + $"FROM generate_series(1, {events})");
        await Eventually.HoldsAsync(async () => await ScalarAsync<long>(server, "SELECT count(*) FROM feed") == upTo, "all are moved");
    }

    private static async Task CrashAsync(PrivatePostgres server)
    {
        var pid = (await File.ReadAllLinesAsync(Path.Combine(server.DataFolder, "cluster", "postmaster.pid")))[0];
        await KillAsync("QUIT", int.Parse(pid, CultureInfo.InvariantCulture));
        await Eventually.HoldsAsync(() => Task.FromResult(!Directory.Exists($"/proc/{pid}")), "the server is gone");
    }

    private static async Task ExecuteAsync(PrivatePostgres server, string sql)
    {
        await using var source = NpgsqlDataSource.Create(server.ConnectionString);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<T> ScalarAsync<T>(PrivatePostgres server, string sql)
    {
        await using var source = NpgsqlDataSource.Create(server.AdminConnectionString + ";Database=messaging;Pooling=false");
        await using var command = source.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    private static async Task KillAsync(string signal, int pid)
    {
        using var kill = Process.Start("kill", [$"-{signal}", pid.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
    }
}
