using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Messaging.Testing;

namespace Messaging.Api.Tests.Conversations;

/// <summary>Somebody in more conversations of one day than a page is to sort.</summary>
public sealed class LargeInboxTests
{
    private const string FillSql =
        """
        WITH c AS (
            INSERT INTO conversations (id, type, participant_count, created_at, updated_at, last_event_at, last_activity_at,
                last_activity_day)
            SELECT gen_random_uuid(), 'group', 2, now(), now(), now(), now(), (now() AT TIME ZONE 'UTC')::date
            FROM generate_series(1, 201)
            RETURNING id, last_activity_day
        )
        INSERT INTO participants (conversation_id, user_id, role, joined_at, activity_day)
        SELECT c.id, u.id, 'member', now(), c.last_activity_day
        FROM c, (VALUES ('desk'), ('visitor')) AS u (id)
        """;

    private const string KeptSql = "SELECT user_id FROM large_inboxes WHERE filled_at IS NOT NULL";

    private ApiHost api = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => api = await ApiHost.StartAsync();

    [OneTimeTearDown]
    public async Task StopAsync() => await api.DisposeAsync();

    [Test]
    public async Task Who_reads_it_has_it_kept_in_order_from_then_on()
    {
        foreach (var user in new[] { "desk", "visitor" })
            (await api.ClientFor(user).GetAsync("/v1/me")).EnsureSuccessStatusCode();
        await api.Database.RowsAsync(FillSql, row => row);
        await NewestAsync();
        await UntilKeptAsync();

        var last = await LastOfPageAsync();
        Assert.That(last, Has.Exactly(3).Items);
        foreach (var id in last)
        {
            await SendAsync(id);
            Assert.That(await NewestAsync(), Is.EqualTo(id));
            Assert.That(await NewestAsync("/v1/sync", "conversations"), Is.EqualTo(id));
        }
    }

    private async Task<string> NewestAsync(string path = "/v1/conversations", string? within = null)
    {
        var answer = (await api.ClientFor("desk").GetFromJsonAsync<JsonNode>(path))!;
        return (within is null ? answer : answer[within]!)["items"]![0]!["id"]!.GetValue<string>();
    }

    private async Task<IEnumerable<string>> LastOfPageAsync()
    {
        var answer = (await api.ClientFor("desk").GetFromJsonAsync<JsonNode>("/v1/conversations?limit=100"))!;
        return answer["items"]!.AsArray().TakeLast(3).Select(item => item!["id"]!.GetValue<string>());
    }

    private async Task UntilKeptAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while ((await api.Database.RowsAsync(KeptSql, row => row.GetString(0))).Count == 0)
            await timer.WaitForNextTickAsync(limit.Token);
    }

    private async Task SendAsync(string id)
    {
        var answer = await api.ClientFor("visitor").PostAsJsonAsync($"/v1/conversations/{id}/messages", new { text = "hello" });
        answer.EnsureSuccessStatusCode();
    }
}
