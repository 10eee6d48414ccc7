using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Messaging.Api.Tests.Realtime;

namespace Messaging.Api.Tests.Receipts;

/// <summary>Shapes and events of receipts.</summary>
public sealed class ReceiptEndpointTests : HubFixture
{
    [Test]
    public async Task The_sender_is_told_of_a_page_that_was_fetched_and_sees_who_has_received_it()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        var id = (await SendAsync(ada, group)).GetProperty("id").GetString();
        await using var hub = await ConnectAsync(ada);

        (await Api.ClientFor(bob).GetAsync($"/v1/conversations/{group}/messages")).EnsureSuccessStatusCode();

        var told = await hub.NextAsync("message:delivered");
        Assert.That((told.GetProperty("data").GetProperty("userId").GetString(), told.GetProperty("data").GetProperty("seq").GetInt64()),
            Is.EqualTo((bob, 2L)));
        var receipts = (await Api.ClientFor(ada).GetFromJsonAsync<JsonObject>($"/v1/conversations/{group}/messages/{id}/receipts"))!;
        Assert.That(receipts["items"]![0]!["deliveredAt"]!.GetValue<string>(), Does.EndWith("Z"));
        receipts["items"]![0]!["deliveredAt"] = null;
        Assert.That(receipts.ToJsonString(), Is.EqualTo(
            """{"recipientCount":1,"deliveredCount":1,"readCount":0,"items":["""
            + $$"""{"userId":"{{bob}}","status":"delivered","deliveredAt":null,"readAt":null}],"nextCursor":null}"""));
    }

    [Test]
    public async Task A_stranger_finds_nothing_and_a_cursor_of_nobodys_making_is_refused()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        var path = $"/v1/conversations/{group}/messages/{(await SendAsync(ada, group)).GetProperty("id").GetString()}/receipts";

        Assert.That((int)(await Api.ClientFor(await UserAsync()).GetAsync(path)).StatusCode, Is.EqualTo(404));
        Assert.That((int)(await Api.ClientFor(ada).GetAsync($"{path}?cursor=!")).StatusCode, Is.EqualTo(400));
        Assert.That((int)(await Api.ClientFor(ada).GetAsync($"{path}?limit=101")).StatusCode, Is.EqualTo(400));
        Assert.That((int)(await Api.ServiceClient().GetAsync(path)).StatusCode, Is.EqualTo(200));
    }
}
