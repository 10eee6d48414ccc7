using System.Collections.Concurrent;
using System.Net.Http.Json;
using System.Text.Json;
using Messaging.Testing;

namespace Messaging.EndToEnd.Tests;

/// <summary>
/// Acknowledged is durable, and once: whatever dies in between, clients that retry with the same key lose and double nothing.
/// </summary>
[Category("Fault")]
public sealed class KilledServiceTests
{
    const int Sends = 2_000;
    const int Senders = 16;

    [Test]
    public async Task Kill_in_the_middle_of_two_thousand_sends_loses_and_doubles_nothing()
    {
        await using var database = await TestDatabaseServer.CreateDatabaseAsync(Slices.MigrateAsync);
        using var node = new ServiceNode(database.ConnectionString);
        await node.StartAsync();
        var conversation = await OpenAsync(node);
        var acknowledged = new ConcurrentDictionary<string, (Guid Id, long Seq)>();
        var keys = new ConcurrentQueue<string>(Enumerable.Range(0, Sends).Select(i => $"key-{i}"));

        var sending = Task.WhenAll(Enumerable.Range(0, Senders).Select(_ => SendAllAsync(node, conversation, keys, acknowledged)));
        foreach (var part in new[] { Sends / 4, Sends / 2 })
        {
            await Eventually.HoldsAsync(() => acknowledged.Count >= part || sending.IsFaulted, $"{part} sends are acknowledged");
            await node.Process.KillAsync();
            await node.StartAsync();
        }
        await sending;
        await database.DrainedAsync();

        var stored = await database.RowsAsync<(Guid Id, long Seq, string Key)>(
            "SELECT id, seq, client_message_id FROM messages ORDER BY seq", r => (r.GetGuid(0), r.GetInt64(1), r.GetString(2)));
        Assert.That(stored.Select(m => m.Seq), Is.EqualTo(Enumerable.Range(1, Sends).Select(n => (long)n)));
        Assert.That(stored.Select(m => m.Key).Distinct().Count(), Is.EqualTo(Sends));
        Assert.That(stored.All(m => acknowledged[m.Key] == (m.Id, m.Seq)), "what was acknowledged is what is stored");
        Assert.That(
            await database.RowsAsync("SELECT seq FROM feed WHERE type = 'message:new' ORDER BY position", r => r.GetInt64(0)),
            Is.EqualTo(Enumerable.Range(1, Sends).Select(n => (long)n)));
        Assert.That(
            await database.RowsAsync(
                "SELECT bool_and(step = 1 OR step > 20000) FROM (SELECT position - lag(position) OVER (ORDER BY position) AS step "
                    + "FROM feed) AS steps",
                r => r.GetBoolean(0)),
            Is.EqualTo(new[] { true }), "positions are dense but for the leap of each leader");
    }

    static async Task<string> OpenAsync(ServiceNode node)
    {
        using var ada = node.ClientFor("ada");
        using var bob = node.ClientFor("bob");
        (await bob.GetAsync(new Uri("/v1/me", UriKind.Relative))).EnsureSuccessStatusCode();
        var opened = await ada.PostAsJsonAsync("/v1/conversations/direct", new { userId = "bob" });
        return (await opened.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString()!;
    }

    static async Task SendAllAsync(
        ServiceNode node, string conversation, ConcurrentQueue<string> keys, ConcurrentDictionary<string, (Guid Id, long Seq)> acknowledged)
    {
        using var ada = node.ClientFor("ada");
        while (keys.TryDequeue(out var key))
        {
            (Guid Id, long Seq)? answer;
            while ((answer = await TrySendAsync(ada, conversation, key)) is null)
            {
            }
            acknowledged[key] = answer.Value;
        }
    }

    // No answer means unknown: the client tries again with the same key.
    static async Task<(Guid Id, long Seq)?> TrySendAsync(HttpClient client, string conversation, string key)
    {
        try
        {
            var answer = await client.PostAsJsonAsync(
                $"/v1/conversations/{conversation}/messages", new { clientMessageId = key, text = $"text of {key}" });
            if ((int)answer.StatusCode >= 500)
                return null;
            answer.EnsureSuccessStatusCode();
            var message = await answer.Content.ReadFromJsonAsync<JsonElement>();
            return (message.GetProperty("id").GetGuid(), message.GetProperty("seq").GetInt64());
        }
        catch (Exception e) when (e is HttpRequestException { StatusCode: null } or IOException or JsonException)
        {
            return null;
        }
    }
}
