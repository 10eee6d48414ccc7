using System.Net.Http.Json;
using System.Text.Json;
using Messaging.Testing;

namespace Messaging.Api.Tests.Realtime;

/// <summary>What somebody makes of a message request before answering it.</summary>
public sealed class WaitingRequestTests : HubFixture
{
    protected override IEnumerable<(string Name, string? Value)> Settings() => [("Messaging:Policies:DirectMessages", "requests")];

    [Test]
    public async Task The_recipient_of_a_pending_request_hears_only_of_changes_made_for_themselves()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var opened = await PostAsync(ada, "/v1/conversations/direct", new { userId = bob, message = new { text = "hi" } });
        var cursor = await CursorAsync(bob);
        await using var live = await ConnectAsync(bob);

        var message = opened.GetProperty("lastMessage").GetProperty("id").GetString()!;
        await MakeOfItAsync(bob, $"/v1/conversations/{opened.GetProperty("id")}", message);

        string[] told = ["message:saved", "settings:updated", "message:deleted"];
        Assert.That((await live.UntilAsync(e => Type(e) == "message:deleted")).Select(Type), Is.EqualTo(told));
        await Api.Database.DrainedAsync();
        Assert.That((await SyncAsync(bob, cursor)).GetProperty("events").EnumerateArray().Select(Type), Is.EqualTo(told));
    }

    private async Task MakeOfItAsync(string user, string conversation, string message)
    {
        var client = Api.ClientFor(user);
        (await client.PutAsync($"{conversation}/messages/{message}/saved", content: null)).EnsureSuccessStatusCode();
        (await client.PatchAsJsonAsync($"{conversation}/settings", new { starred = true })).EnsureSuccessStatusCode();
        (await client.DeleteAsync($"{conversation}/messages/{message}?scope=me")).EnsureSuccessStatusCode();
    }

    private static string Type(JsonElement envelope) => envelope.GetProperty("type").GetString()!;
}
