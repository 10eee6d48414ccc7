using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Messaging.Api.Tests.Realtime;

namespace Messaging.Api.Tests.Messages;

/// <summary>A page is of one moment, whatever is sent while it is read.</summary>
public sealed class PageTests : HubFixture
{
    [Test]
    public async Task The_newest_page_is_whole_while_others_send()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        var list = $"/v1/conversations/{group}/messages";
        for (var i = 0; i < 20; i++)
        {
            var id = (await SendAsync(ada, group)).GetProperty("id").GetString();
            (await Api.ClientFor(bob).PutAsync($"{list}/{id}/reactions/👍", content: null)).EnsureSuccessStatusCode();
        }
        using var stop = new CancellationTokenSource();
        var sending = Task.WhenAll(new[] { ada, bob }.Select(user => Task.Run(async () =>
        {
            for (var i = 0; i < 40 && !stop.IsCancellationRequested; i++)
                await SendAsync(user, group);
        })));

        var pages = new List<JsonObject>();
        while (!sending.IsCompleted)
            pages.Add((await Api.ClientFor(bob).GetFromJsonAsync<JsonObject>($"{list}?limit=10"))!);
        await sending;

        foreach (var page in pages)
        {
            var items = page["items"]!.AsArray();
            Assert.That(items, Has.Count.EqualTo(10));
            Assert.That(page["before"]!.GetValue<long>(), Is.EqualTo(items[0]!["seq"]!.GetValue<long>()));
            Assert.That(
                items.Where(m => m!["seq"]!.GetValue<long>() <= 20).Select(m => m!["reactions"]!.AsArray().Count), Is.All.EqualTo(1));
        }
    }
}
