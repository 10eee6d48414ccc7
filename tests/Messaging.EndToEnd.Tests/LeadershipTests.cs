using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using Messaging.Testing;

namespace Messaging.EndToEnd.Tests;

/// <summary>
/// Two nodes on one database: whichever gives events their place, everybody hears them, and the other follows when it fails.
/// </summary>
[Category("MultiNode")]
public sealed class LeadershipTests
{
    static readonly TimeSpan TakeoverTime = TimeSpan.FromSeconds(10);

    TestDatabase database = null!;
    ServiceNode[] nodes = null!;
    string group = "";

    [SetUp]
    public async Task StartAsync()
    {
        database = await TestDatabaseServer.CreateDatabaseAsync(Slices.MigrateAsync);
        nodes = [new ServiceNode(database.ConnectionString), new ServiceNode(database.ConnectionString)];
        await Task.WhenAll(nodes.Select(node => node.StartAsync()));
        (await nodes[0].ClientFor("bob").GetAsync(new Uri("/v1/me", UriKind.Relative))).EnsureSuccessStatusCode();
        group = (await PostAsync(nodes[0], "/v1/conversations", new { name = "Group", participantIds = new[] { "bob" } })).GetProperty("id")
            .GetString()!;
    }

    [TearDown]
    public async Task StopAsync()
    {
        foreach (var node in nodes)
            node.Dispose();
        await database.DisposeAsync();
    }

    [Test]
    public async Task A_paused_leader_is_replaced_and_does_no_harm_when_it_wakes_up()
    {
        var (leader, other) = await RolesAsync();
        await using var phone = await HubClient.ConnectAsync(other.Address, ApiHost.Token("bob"));
        var fencing = await database.FencingAsync();

        await leader.Process.PauseAsync();
        var paused = Stopwatch.StartNew();
        await SendAsync(other, "during the pause");
        Assert.That(await HearAsync(phone), Is.EqualTo("during the pause"));
        Assert.That(paused.Elapsed, Is.LessThan(TakeoverTime));

        var sending = Task.WhenAll(Enumerable.Range(0, 100).Select(i => SendAsync(other, $"{i}")));
        await leader.Process.GoOnAsync();
        await Eventually.HoldsAsync(
            () => leader.Process.Output.Contains("Leads the feed no longer", StringComparison.Ordinal), "the former leader noticed");
        await sending;
        await database.DrainedAsync();

        Assert.That(await database.FencingAsync(), Is.EqualTo(fencing + 1), "nobody else took over");
        Assert.That(
            await database.RowsAsync("SELECT seq FROM feed WHERE type = 'message:new' ORDER BY position", row => row.GetInt64(0)),
            Is.EqualTo(Enumerable.Range(1, 102).Select(i => (long)i)));
        Assert.That(
            await database.RowsAsync(
                "SELECT bool_and(step = 1 OR step > 20000) FROM (SELECT position - lag(position) OVER (ORDER BY position) AS step "
                    + "FROM feed) AS steps",
                row => row.GetBoolean(0)),
            Is.EqualTo(new[] { true }));
    }

    [Test]
    public async Task A_leader_that_is_stopped_hands_over_at_once_and_bids_its_clients_come_again()
    {
        var (leader, other) = await RolesAsync();
        await using var guest = await HubClient.ConnectAsync(leader.Address, ApiHost.Token("bob"));
        await using var phone = await HubClient.ConnectAsync(other.Address, ApiHost.Token("bob"));

        Assert.That(await leader.Process.TerminateAsync(), Is.Zero);
        var stopped = Stopwatch.StartNew();
        await SendAsync(other, "after the stop");

        Assert.That(await guest.Closed, Is.Null);
        Assert.That(await HearAsync(phone), Is.EqualTo("after the stop"));
        Assert.That(stopped.Elapsed, Is.LessThan(TimeSpan.FromSeconds(4)));
    }

    async Task<(ServiceNode Leader, ServiceNode Other)> RolesAsync()
    {
        var leader = await nodes.LeaderAsync(database);
        return (leader, nodes.Single(node => node != leader));
    }

    static async Task<string> HearAsync(HubClient phone) =>
        (await phone.NextAsync("message:new")).GetProperty("data").GetProperty("text").GetString()!;

    Task<JsonElement> SendAsync(ServiceNode node, string text) => PostAsync(node, $"/v1/conversations/{group}/messages", new { text });

    static async Task<JsonElement> PostAsync(ServiceNode node, string path, object body)
    {
        using var ada = node.ClientFor("ada");
        var answer = await ada.PostAsJsonAsync(new Uri(path, UriKind.Relative), body);
        Assert.That(answer.IsSuccessStatusCode, Is.True, await answer.Content.ReadAsStringAsync());
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }
}
