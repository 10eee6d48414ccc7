using System.Reflection;
using Messaging.Infrastructure.Webhooks;
using Npgsql;

namespace Messaging.Api.Tests.Webhooks;

public sealed class BacklogTests : DeliveryFixture
{
    // They have failed, and wait for their next try.
    private const string Fill =
        """
        INSERT INTO webhook_places (webhook_id) VALUES (@Id) ON CONFLICT DO NOTHING;
        INSERT INTO webhook_deliveries (id, webhook_id, lane, position, event_id, type, body, tries, next_at, created_at)
        SELECT md5('d' || n)::uuid, @Id, md5('l' || n % 1000)::uuid, n, n, 'message:new', '{}', 1, now() + interval '1 hour', now()
        FROM generate_series(1, 100000) AS n;
        INSERT INTO webhook_lanes (webhook_id, lane, due_at)
        SELECT @Id, md5('l' || n)::uuid, now() + interval '1 hour'
        FROM generate_series(0, 999) AS n;
        ANALYZE webhook_deliveries;
        ANALYZE webhook_lanes
        """;

    [Test]
    public async Task A_backlog_of_a_hundred_thousand_holds_up_no_new_event_and_is_read_by_its_index()
    {
        await using var receiver = Receiver.Answering(Receiver.Ok);
        var (id, _) = await WebhookAsync(receiver, new { eventTypes = (string[])["message:new"] });
        await ExecuteAsync(Fill.Replace("@Id", $"'{id}'::uuid", StringComparison.Ordinal));
        var (user, group) = await PlaceAsync();

        await SendAsync(user, group, "new");

        await UntilAsync(() => receiver.Calls.Any(call => Text(Json(call)) == "new"), "it comes past those that wait");
        var plan = await PlanAsync(id);
        Assert.That(plan, Does.Contain("Index Scan using ix_webhook_deliveries_lane").And.Not.Contain("Seq Scan"));
    }

    // What a node runs for the lanes that it has taken.
    private async Task<string> PlanAsync(string webhook)
    {
        var sql = (string)typeof(WebhookFollower).Assembly.GetType("Messaging.Infrastructure.Webhooks.LaneClaims", throwOnError: true)!
            .GetField("WaitingSql", BindingFlags.NonPublic | BindingFlags.Static)!.GetRawConstantValue()!;
        await using var command = Api.Database.DataSource.CreateCommand($"EXPLAIN {sql}");
        command.Parameters.Add(new NpgsqlParameter("Webhooks", new[] { Guid.Parse(webhook) }));
        command.Parameters.Add(new NpgsqlParameter("Lanes", new[] { Guid.Empty }));
        command.Parameters.Add(new NpgsqlParameter("PerLane", 10));
        await using var reader = await command.ExecuteReaderAsync();
        var plan = new List<string>();
        while (await reader.ReadAsync())
            plan.Add(reader.GetString(0));
        return string.Join('\n', plan);
    }
}
