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
        var pages = new List<JsonObject> { await PageAsync() };
        using var stop = new CancellationTokenSource();
        var sending = Task.WhenAll(new[] { ada, bob }.Select(user => Task.Run(async () =>
        {
            for (var i = 0; i < 40 && !stop.IsCancellationRequested; i++)
                await SendAsync(user, group);
        })));

        do
            pages.Add(await PageAsync());
        while (!sending.IsCompleted);
        await sending;

        Assert.That(Reacted(pages[0]), Is.Not.Empty);
        foreach (var page in pages)
        {
            var items = page["items"]!.AsArray();
            Assert.That(items, Has.Count.EqualTo(10));
            Assert.That(page["before"]!.GetValue<long>(), Is.EqualTo(items[0]!["seq"]!.GetValue<long>()));
            Assert.That(Reacted(page), Is.All.EqualTo(1));
        }

        async Task<JsonObject> PageAsync() => (await Api.ClientFor(bob).GetFromJsonAsync<JsonObject>($"{list}?limit=10"))!;

        static IEnumerable<int> Reacted(JsonObject page) => page["items"]!.AsArray()
            .Where(m => m!["seq"]!.GetValue<long>() <= 20).Select(m => m!["reactions"]!.AsArray().Count);
    }
}
