using System.Net.Http.Json;
using System.Text.Json;
using Messaging.Api.Realtime;
using Messaging.Api.Tests.Authorisation;
using Messaging.Application.Events;
using Messaging.Application.Revocations;
using Messaging.Domain.Common;
using Messaging.Testing;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;

namespace Messaging.Api.Tests.Realtime;

public sealed class RevokedConnectionTests : HubFixture
{
    private ApiHost other = null!;

    protected override IEnumerable<(string Name, string? Value)> Settings() =>
        [("Messaging:Accounts:Enabled", "true"), ("Messaging:Accounts:HashIterations", "10")];

    [OneTimeSetUp]
    public void StartOther() => other = Api.StartAnother();

    [OneTimeTearDown]
    public async Task StopOtherAsync() => await other.DisposeAsync();

    [Test]
    public async Task Connections_of_a_revoked_key_are_closed_on_every_node_and_others_hear_on()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        var key = await KeyAsync("messages", "events");
        await using var here = await OpenAsync(Api, ("X-Api-Key", key), ("X-User-Id", ada));
        await using var there = await OpenAsync(other, ("X-Api-Key", key), ("X-User-Id", bob));
        await using var phone = await ConnectAsync(ada);

        await RevokeKeyAsync(key);

        await Task.WhenAll(here.ClosedAsync(), there.ClosedAsync());
        await SendAsync(bob, group, "still here?");
        // The note that the group was made may come after the phone.
        var told = await phone.NextAsync("message:new");
        while (Text(told) is null)
            told = await phone.NextAsync("message:new");
        Assert.That(Text(told), Is.EqualTo("still here?"));
    }

    [Test]
    public async Task Connections_with_a_minted_token_are_closed_when_its_key_is_revoked()
    {
        var (user, key) = (await UserAsync(), await KeyAsync("tokens"));
        var minted = await Api.ServiceClient(key: key).PostAsJsonAsync($"/v1/users/{user}/tokens", new { });
        var token = (await minted.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("token").GetString()!;
        await using var socket = await OpenAsync(other, ("Authorization", $"Bearer {token}"));

        await RevokeKeyAsync(key);

        await socket.ClosedAsync();
    }

    [Test]
    public async Task All_that_a_user_has_open_is_closed_when_the_tokens_are_revoked()
    {
        var user = await UserAsync();
        await using var here = await ConnectAsync(user);
        await using var there = await HubClient.ConnectAsync(other.Address, ApiHost.Token(user));
        await using var service = await OpenAsync(other, ("X-Api-Key", ApiHost.ServiceKey), ("X-User-Id", user));

        await Api.ServiceClient().PostAsync($"/v1/users/{user}/tokens/revoke", null);

        await Task.WhenAll(here.Closed, there.Closed, service.ClosedAsync());
    }

    [Test]
    public async Task Logging_out_closes_the_connections_of_that_login_alone()
    {
        var name = $"fox_{Guid.NewGuid():N}"[..20];
        var (one, two) = (await LoginAsync("", name), await LoginAsync("/login", name));
        var user = one.GetProperty("user").GetProperty("userId").GetString()!;
        await using var ended = await OpenAsync(other, ("Authorization", $"Bearer {one.GetProperty("accessToken").GetString()}"));
        await using var kept = await HubClient.ConnectAsync(other.Address, two.GetProperty("accessToken").GetString()!);

        await Api.AnonymousClient()
            .PostAsJsonAsync("/v1/accounts/logout", new { refreshToken = one.GetProperty("refreshToken").GetString() });

        await ended.ClosedAsync();
        await ExecuteAsync($"INSERT INTO outbox (occurred_at, user_id, type, payload) VALUES (now(), '{user}', 'test:event', '{{}}')");
        await kept.NextAsync("test:event");
    }

    [Test]
    public async Task Calls_that_wait_when_the_key_is_revoked_are_refused()
    {
        const int Calls = 1_500;
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        var key = await KeyAsync("messages", "events");
        await using var socket = await OpenAsync(Api, ("X-Api-Key", key), ("X-User-Id", ada));
        await socket.CallOftenAsync("SendMessage", Enumerable.Repeat($$"""["{{group}}",{"text":"hello"}]""", Calls));

        await RevokeKeyAsync(key);
        var sent = await MessagesAsync(group);
        await socket.ClosedAsync();

        Assert.That(sent, Is.LessThan(Calls));
        Assert.That(await MessagesAsync(group), Is.InRange(sent, sent + 1), "the one that was being sent may still be");
    }

    [Test]
    public void A_connection_that_is_opened_while_its_credential_is_revoked_is_closed()
    {
        var revocations = new RevocationList(TimeProvider.System);
        var connections = new LiveConnections(revocations);
        revocations.Add([new Revocation(RevocationKind.Key, "key", Instant.MinValue)]);

        var (wire, good) = (new Wire(), new Wire());
        connections.TryAdd(
            "ada", new LiveConnection(wire, false) { Credential = new Credential(new UserId("ada"), "key", null, null) }, 20);
        connections.TryAdd(
            "ada", new LiveConnection(good, false) { Credential = new Credential(new UserId("ada"), "other", null, null) }, 20);

        Assert.That((wire.IsCloseRequested, good.IsCloseRequested), Is.EqualTo((true, false)));
    }

    [Test]
    public async Task A_replay_ends_when_its_connection_is_closed()
    {
        var user = await UserAsync();
        var cursor = await CursorAsync(user);
        await ExecuteAsync(
            $"""
            INSERT INTO outbox (occurred_at, user_id, type, payload)
            SELECT now(), '{user}', 'test:event', jsonb_build_object('n', n) FROM generate_series(1, 100) AS n
            """);
        await Api.Database.DrainedAsync();
        var wire = new Wire();
        wire.Stop();
        var connection = new LiveConnection(wire, beginsWithReplay: true);
        await Api.Services.GetRequiredService<Replays>().CatchUpAsync(
            connection, new Actor(new UserId(user)), FeedCursor.Parse(cursor, "#/cursor"), CancellationToken.None);
        await wire.IsWritingAsync();

        connection.Close();
        wire.GoOn();
        await connection.TryBeginReplayAsync();

        Assert.That(wire.Written, Has.Count.EqualTo(1));
    }

    private static async Task<MatrixSocket> OpenAsync(ApiHost host, params (string Name, string Value)[] headers) =>
        (await MatrixSocket.ConnectAsync(host.Address, headers)).Socket!;

    private async Task<string> KeyAsync(params string[] scopes)
    {
        var made = await Api.ServiceClient().PostAsJsonAsync("/v1/admin/keys", new { name = "test", scopes });
        return (await made.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("key").GetString()!;
    }

    private async Task RevokeKeyAsync(string key) =>
        (await Api.ServiceClient().DeleteAsync($"/v1/admin/keys/{key.Split('_')[1]}")).EnsureSuccessStatusCode();

    private async Task<JsonElement> LoginAsync(string path, string username)
    {
        var answer = await Api.AnonymousClient()
            .PostAsJsonAsync($"/v1/accounts{path}", new { username, password = "a fox that reads at night" });
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    private async Task<long> MessagesAsync(string group) =>
        (await Api.Database.RowsAsync($"SELECT count(*) FROM messages WHERE conversation_id = '{group}'", row => row.GetInt64(0)))[0];
}
