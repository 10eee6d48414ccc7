using System.Diagnostics;
using Npgsql;

namespace Messaging.Benchmarks.Delivering;

/// <summary>
/// Events from their commit until a webhook's receiver on this machine has them all, in a thousand conversations; beside it the same posts
/// alone.
/// </summary>
sealed class DeliveryBenchmark(Bench bench)
{
    const int Events = 20_000;
    const int Conversations = 1_000;
    const int AtOnce = 32;
    const int Runs = 3;

    const string WebhookSql =
        """
        INSERT INTO webhooks (id, url, event_types, user_ids, enabled, secret, created_at, updated_at, version)
        VALUES (
            @Id, @Url, '{participant:removed}', '{}', true, 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', now() - interval '1 minute', now(),
            1)
        """;

    // Of a type that is told as it stands; as large as the event of a message.
    const string TellSql =
        """
        INSERT INTO outbox (occurred_at, conversation_id, event_no, type, payload)
        SELECT clock_timestamp(), md5('delivered ' || n % @Conversations)::uuid, n, 'participant:removed',
            jsonb_build_object('userId', 'somebody', 'by', NULL, 'banned', false, 'filler', repeat('x', 800))
        FROM generate_series(1, @Events) AS n
        """;

    const string DeliveredSql = "SELECT count(*) FROM webhook_deliveries WHERE webhook_id = @Id AND state = 'delivered'";

    const string ForgetSql =
        """
        DELETE FROM webhooks WHERE id = @Id;
        DELETE FROM webhook_deliveries WHERE webhook_id = @Id
        """;

    public async Task RunAsync()
    {
        bench.Report.Heading($"deliver: {Events:N0} events in {Conversations:N0} conversations to one receiver on this machine");
        var (services, floors) = (new List<double>(), new List<double>());
        for (var run = 0; run < Runs; run++)
        {
            services.Add(await DeliverAsync());
            floors.Add(await PostAsync());
        }
        var (service, floor) = (services.Order().ElementAt(Runs / 2), floors.Order().ElementAt(Runs / 2));
        bench.Report.Say($"{service,8:N0} deliveries a second; the same posts alone, {AtOnce} at once: {floor:N0} a second");
        bench.Report.Check(service >= 1_000, "at least 1,000 deliveries a second");
    }

    async Task<double> DeliverAsync()
    {
        using var sink = new Sink();
        var id = Guid.NewGuid();
        await ExecuteAsync(WebhookSql, ("Id", id), ("Url", sink.Url.OriginalString));
        var cpu = bench.Cpu();
        var watch = Stopwatch.StartNew();
        await ExecuteAsync(TellSql, ("Conversations", Conversations), ("Events", Events));
        while (await CountAsync(id) < Events)
            await Task.Delay(20, bench.Stop);
        var perSecond = Events / watch.Elapsed.TotalSeconds;
        var used = bench.Cpu() - cpu;
        bench.Report.Check(sink.Count == Events, "each came once");
        bench.Report.Say(
            $"{perSecond,8:N0} a second; CPU s per 1,000: service {used.Service * 1000 / Events:0.000}, database "
            + $"{used.Database * 1000 / Events:0.000}");
        await ExecuteAsync(ForgetSql, ("Id", id));
        return perSecond;
    }

    async Task<double> PostAsync()
    {
        using var sink = new Sink();
        using var client = new HttpClient();
        var body = new byte[1_000];
        var left = Events;
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(async _ =>
        {
            while (Interlocked.Decrement(ref left) >= 0)
            {
                using var content = new ByteArrayContent(body);
                using var answer = await client.PostAsync(sink.Url, content, bench.Stop);
            }
        }));
        return Events / watch.Elapsed.TotalSeconds;
    }

    async Task<long> CountAsync(Guid id)
    {
        await using var command = Command(DeliveredSql, ("Id", id));
        return (long)(await command.ExecuteScalarAsync(bench.Stop))!;
    }

    async Task ExecuteAsync(string sql, params (string Name, object Value)[] parameters)
    {
        await using var command = Command(sql, parameters);
        await command.ExecuteNonQueryAsync(bench.Stop);
    }

    NpgsqlCommand Command(string sql, params (string Name, object Value)[] parameters)
    {
        var command = bench.Database.DataSource.CreateCommand(sql);
        foreach (var (name, value) in parameters)
            command.Parameters.AddWithValue(name, value);
        return command;
    }
}
