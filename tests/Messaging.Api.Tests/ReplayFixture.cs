using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Messaging.Testing;

namespace Messaging.Api.Tests;

/// <summary>
/// Runs commands and compares, for every participant: old state plus the new events equals a fresh fetch, and so does a fresh fetch that is
/// told the same events again, since a snapshot and the events after its cursor may overlap.
/// </summary>
public abstract class ReplayFixture
{
    protected ApiHost Api { get; private set; } = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => Api = await ApiHost.StartAsync([.. Settings()]);

    [OneTimeTearDown]
    public async Task StopAsync() => await Api.DisposeAsync();

    protected virtual IEnumerable<(string Name, string? Value)> Settings() => [];

    /// <param name="live">Whether the clients hear of it while it goes on, and not at its end alone.</param>
    protected async Task ReplayAsync(Func<string[], string, Task> command, bool hides = false, bool live = false)
    {
        var users = Enumerable.Range(0, 4).Select(i => $"{(char)('a' + i)}-{Guid.NewGuid():N}").ToArray();
        foreach (var user in users)
            (await Api.ClientFor(user).GetAsync("/v1/me")).EnsureSuccessStatusCode();
        // Whom one brings into a group one may write to, whatever the policy.
        foreach (var user in users[1..3])
        {
            await PostAsync(users[0], "/v1/contacts", new { userId = user });
            await PostAsync(user, "/v1/contacts", new { userId = users[0] });
        }
        var group = (await PostAsync(
            users[0], "/v1/conversations", new { name = "Group", participantIds = users[1..3] }))["id"]!.GetValue<string>();
        for (var i = 0; i < 3; i++)
            await SendAsync(users[0], group, new { text = $"before {i}" });
        if (hides)
            await CallAsync(users[1], HttpMethod.Patch, $"/v1/conversations/{group}/settings", """{"showReadReceipts":false}""");
        var models = new List<ClientModel>();
        foreach (var user in users)
            models.Add(new ClientModel(user, await SyncAsync(user, null)));
        var before = models.ConvertAll(model => model.Cursor);

        using var over = new CancellationTokenSource();
        var hearing = live
            ? Task.WhenAll(models.Zip(users).Select(client => HearAsync(client.First, client.Second, over.Token))) : Task.CompletedTask;
        await command(users, group);
        await over.CancelAsync();
        await hearing;

        await Api.Database.DrainedAsync();
        foreach (var (model, cursor, user) in models.Zip(before, users))
        {
            var fresh = await SyncAsync(user, null);
            var (expected, again) = (new ClientModel(user, fresh), new ClientModel(user, fresh) { Cursor = cursor });
            await DrainAsync(model, user);
            await DrainAsync(again, user, () => Assert.That(again.People, Is.EqualTo(expected.People), "at no moment what is over"));
            foreach (var folded in new[] { model, again })
            {
                Assert.That(folded.Inbox, Is.EqualTo(expected.Inbox));
                Assert.That(folded.Unread, Is.EqualTo(fresh["unread"]!["messages"]!.GetValue<long>()));
            }
        }
    }

    private async Task HearAsync(ClientModel model, string user, CancellationToken over)
    {
        while (!over.IsCancellationRequested)
            await DrainAsync(model, user);
    }

    private async Task DrainAsync(ClientModel model, string user, Action? each = null)
    {
        for (var more = true; more;)
        {
            var page = await SyncAsync(user, model.Cursor);
            foreach (var envelope in page["events"]!.AsArray())
            {
                model.Apply(envelope!.AsObject());
                each?.Invoke();
            }
            model.Cursor = page["cursor"]!.GetValue<string>();
            more = page["hasMore"]!.GetValue<bool>();
        }
    }

    private async Task<JsonObject> SyncAsync(string user, string? since) =>
        (await Api.ClientFor(user).GetFromJsonAsync<JsonObject>(since is null ? "/v1/sync" : $"/v1/sync?since={since}"))!;

    protected Task<JsonObject> SendAsync(string user, string conversation, object message) =>
        PostAsync(user, $"/v1/conversations/{conversation}/messages", message);

    protected async Task<string> SentAsync(string user, string conversation, object message) =>
        (await SendAsync(user, conversation, message))["id"]!.GetValue<string>();

    protected async Task CallAsync(string user, HttpMethod method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
            request.Content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        var answer = await Api.ClientFor(user).SendAsync(request);
        Assert.That(answer.IsSuccessStatusCode, Is.True, await answer.Content.ReadAsStringAsync());
    }

    protected async Task<JsonObject> PostAsync(string user, string path, object body)
    {
        var answer = await Api.ClientFor(user).PostAsJsonAsync(path, body);
        Assert.That(answer.IsSuccessStatusCode, Is.True, await answer.Content.ReadAsStringAsync());
        return (await answer.Content.ReadFromJsonAsync<JsonObject>())!;
    }
}
