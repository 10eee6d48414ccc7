using Messaging.Testing;

namespace Messaging.EndToEnd.Tests;

/// <summary>
/// Two hundred clients on two nodes, senders, and people who are removed, while the node that leads fails in one way or another. Afterwards
/// everything that was acknowledged, stored, heard and folded is held against each other.
/// </summary>
[Category("MultiNode")]
[Category("Fault")]
public sealed class NodeFaultTests
{
    const int Groups = 5;
    const int Members = 40;
    const int SendersOfGroup = 2;

    TestDatabase database = null!;
    ServiceNode[] nodes = null!;
    WebhookReceiver receiver = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        database = await TestDatabaseServer.CreateDatabaseAsync(Slices.MigrateAsync);
        nodes = [.. Enumerable.Range(0, 2).Select(_ => new ServiceNode(database.ConnectionString, [.. WebhookReceiver.Settings]))];
        await Task.WhenAll(nodes.Select(node => node.StartAsync()));
        receiver = new WebhookReceiver();
        await receiver.RegisterAsync(nodes[0]);
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        foreach (var node in nodes)
            node.Dispose();
        receiver.Dispose();
        await database.DisposeAsync();
    }

    [Test]
    public Task A_node_that_is_killed_costs_nobody_an_event() => SurviveAsync("killed", async (leader, run) =>
    {
        // First the one behind whose back the feed goes on, then the one without which it stands still.
        foreach (var node in nodes.OrderBy(node => node == leader))
        {
            await node.Process.KillAsync();
            await run.GoOnAsync();
            await node.StartAsync();
        }
    });

    [Test]
    public Task A_node_that_is_paused_for_longer_than_its_lease_costs_nobody_an_event() => SurviveAsync("paused", async (leader, run) =>
    {
        var fencing = await database.FencingAsync();
        await leader.Process.PauseAsync();
        await Eventually.HoldsAsync(async () => await database.FencingAsync() > fencing, () => "the other node leads");
        await run.GoOnAsync();
        await leader.Process.GoOnAsync();
    });

    [Test]
    public Task A_node_that_is_drained_sends_its_clients_elsewhere_without_a_loss() => SurviveAsync("drained", async (leader, run) =>
    {
        var guests = run.Clients.Where(client => client.Address == leader.Address).ToList();
        Assert.That(await leader.Process.TerminateAsync(), Is.Zero);
        Assert.That(guests.Select(client => client.Notices), Is.Not.Empty.And.All.EqualTo(1));
        await leader.StartAsync();
    });

    async Task SurviveAsync(string name, Func<ServiceNode, FaultRun, Task> fail)
    {
        using var run = await FaultRun.BeginAsync(name, nodes, Groups, Members, SendersOfGroup);
        await run.GoOnAsync();

        var failing = fail(await nodes.LeaderAsync(database), run);
        await Task.WhenAll(run.RemoveLastAsync(), run.BlockAsync(), run.ComeLateAsync(database));
        await failing;

        await run.GoOnAsync();
        await run.EndAsync(database);
        await new FaultChecks(run, database, receiver).HoldAsync();
    }
}
