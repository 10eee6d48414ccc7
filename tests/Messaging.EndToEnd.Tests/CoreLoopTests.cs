using System.Text.Json;
using Messaging.Testing;

namespace Messaging.EndToEnd.Tests;

/// <summary>The main job with the clients that frontends use: the npm package on Node, against the service as a process.</summary>
public sealed class CoreLoopTests
{
    const int Away = 250;

    [Test]
    public async Task Two_people_talk_and_one_who_was_cut_off_catches_up()
    {
        await using var database = await TestDatabaseServer.CreateDatabaseAsync(Slices.MigrateAsync);
        using var node = new ServiceNode(database.ConnectionString);
        await node.StartAsync();

        using var client = ChildProcess.Start(
            "node",
            [Repository.Client("core-loop.mjs"), node.Address.OriginalString, ApiHost.Token("ada"), ApiHost.Token("bob"), $"{Away}"]);
        Assert.That(await client.ExitAsync(), Is.Zero, client.Errors);

        var saw = JsonElement.Parse(client.Output);
        Assert.That(saw.GetProperty("first").GetString(), Is.EqualTo("hello bob"));
        Assert.That(saw.GetProperty("answered").GetRawText(), Is.EqualTo("[2,true]"));
        Assert.That(saw.GetProperty("adaUnread").GetInt32(), Is.EqualTo(1));
        Assert.That(saw.GetProperty("read").GetInt32(), Is.EqualTo(2));
        Assert.That(saw.GetProperty("bobUnread").GetInt32(), Is.EqualTo(Away));
        Assert.That(Numbers(saw, "missed").Take(Away), Is.EqualTo(Enumerable.Range(3, Away)), "missed messages come in their order");
        Assert.That(Numbers(saw, "heard"), Is.EqualTo(Enumerable.Range(1, Away + 3)), "none is lost or heard twice");
        Assert.That(saw.GetProperty("pointer").GetRawText(), Is.EqualTo($"[{Away + 3},0]"));
        Assert.That(saw.GetProperty("refused").GetString(), Does.Contain("invalid-request"));
    }

    static IEnumerable<int> Numbers(JsonElement element, string name) =>
        element.GetProperty(name).EnumerateArray().Select(number => number.GetInt32());
}
