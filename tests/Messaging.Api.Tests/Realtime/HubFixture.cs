using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Messaging.Testing;

namespace Messaging.Api.Tests.Realtime;

/// <summary>A service with people who talk over its hub.</summary>
public abstract class HubFixture
{
    protected ApiHost Api { get; private set; } = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => Api = await StartHostAsync();

    [OneTimeTearDown]
    public async Task StopAsync() => await Api.DisposeAsync();

    protected virtual Task<ApiHost> StartHostAsync() => ApiHost.StartAsync([.. Settings()]);

    protected virtual IEnumerable<(string Name, string? Value)> Settings() => [];

    /// <summary>A user of a fresh id, known to the service.</summary>
    protected async Task<string> UserAsync()
    {
        var user = $"user-{Guid.NewGuid():N}";
        (await Api.ClientFor(user).GetAsync("/v1/me")).EnsureSuccessStatusCode();
        return user;
    }

    protected async Task<string> GroupAsync(params string[] users) =>
        (await PostAsync(users[0], "/v1/conversations", new { name = "Group", participantIds = users[1..] })).GetProperty("id")
            .GetString()!;

    protected Task<JsonElement> SendAsync(string user, string conversation, string text = "hello") =>
        PostAsync(user, $"/v1/conversations/{conversation}/messages", new { text });

    protected Task<HubClient> ConnectAsync(string user, string? cursor = null) =>
        HubClient.ConnectAsync(Api.Address, ApiHost.Token(user), cursor);

    protected async Task<JsonElement> SyncAsync(string user, string? since = null) =>
        await Api.ClientFor(user).GetFromJsonAsync<JsonElement>("/v1/sync" + (since is null ? "" : $"?since={since}"));

    /// <summary>The cursor behind all that happened so far.</summary>
    protected async Task<string> CursorAsync(string user)
    {
        await Api.Database.DrainedAsync();
        return (await SyncAsync(user)).GetProperty("cursor").GetString()!;
    }

    protected async Task<JsonElement> PostAsync(string user, string path, object body)
    {
        var answer = await Api.ClientFor(user).PostAsJsonAsync(path, body);
        Assert.That(answer.IsSuccessStatusCode, Is.True, await answer.Content.ReadAsStringAsync());
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    protected Task ExecuteAsync(string sql) => Api.Database.RowsAsync(sql, _ => 0);

    protected static long Position(string id) => long.Parse(id.Split('-')[1], CultureInfo.InvariantCulture);

    protected static string Text(JsonElement envelope) => envelope.GetProperty("data").GetProperty("text").GetString()!;
}
