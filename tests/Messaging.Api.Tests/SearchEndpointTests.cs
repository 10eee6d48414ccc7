using System.Net.Http.Json;
using System.Text.Json;
using Messaging.Api.Tests.Realtime;
using Npgsql;

namespace Messaging.Api.Tests;

public sealed class SearchEndpointTests : HubFixture
{
    [Test]
    public async Task A_page_has_messages_highlights_and_a_cursor()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        await SendAsync(ada, group, "a river");
        await SendAsync(bob, group, "the <b>River</b>");

        var first = await Api.ClientFor(bob).GetFromJsonAsync<JsonElement>("/v1/search/messages?q=riv&limit=1");
        var second = await Api.ClientFor(bob).GetFromJsonAsync<JsonElement>($"/v1/search/messages?q=riv&limit=1&cursor={first.GetProperty("nextCursor").GetString()}");

        var item = first.GetProperty("items")[0];
        Assert.That(item.GetProperty("message").GetProperty("seq").GetInt64(), Is.EqualTo(3));
        Assert.That(item.GetProperty("highlight").GetRawText(), Is.EqualTo("""{"text":"the <b>River</b>","ranges":[[7,5]]}"""));
        Assert.That(second.GetProperty("items")[0].GetProperty("message").GetProperty("seq").GetInt64(), Is.EqualTo(2));
        Assert.That(second.GetProperty("nextCursor").ValueKind, Is.EqualTo(JsonValueKind.Null));
    }

    [Test]
    public async Task Searches_that_hang_are_ended_soon_and_nothing_else_waits_for_them()
    {
        var users = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => UserAsync()));
        await SendAsync(users[0], await GroupAsync(users), "a river");
        await using var connection = await Api.Database.DataSource.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var hold = new NpgsqlCommand("LOCK TABLE messages IN ACCESS EXCLUSIVE MODE", connection))
            await hold.ExecuteNonQueryAsync();

        var searches = users.Select(user => Api.ClientFor(user).GetAsync("/v1/search/messages?q=river")).ToList();
        var others = users.Select(user => Api.ClientFor(user).GetAsync("/v1/me")).ToList();

        Assert.That((await Task.WhenAll(others)).Select(answer => (int)answer.StatusCode), Is.All.EqualTo(200));
        foreach (var answer in await Task.WhenAll(searches))
        {
            Assert.That(((int)answer.StatusCode, answer.Headers.RetryAfter?.Delta), Is.EqualTo((503, TimeSpan.FromSeconds(2))));
            Assert.That((await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("detail").GetString(), Does.Contain("search"));
        }
    }

    [TestCase("", "#/q")]
    [TestCase("?q=1+2+3+4+5+6+7+8+9+10+11+12+13+14+15+16+17", "#/q")]
    [TestCase("?q=%20", "#/q")]
    [TestCase("?q=a&from=yesterday", "#/from")]
    [TestCase("?q=a&to=2026-11-20", "#/to")]
    [TestCase("?q=a&conversationId=1", "#/conversationId")]
    [TestCase("?q=a&senderId=a%20b", "#/senderId")]
    [TestCase("?q=a&cursor=x", "#/cursor")]
    [TestCase("?q=a&limit=101", "#/limit")]
    [TestCase("?q=%00", "#/q")]
    public async Task What_is_no_search_is_refused_with_its_place(string query, string pointer)
    {
        var answer = await Api.ClientFor(await UserAsync()).GetAsync($"/v1/search/messages{query}");

        Assert.That((int)answer.StatusCode, Is.EqualTo(400), await answer.Content.ReadAsStringAsync());
        Assert.That((await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("errors")[0].GetProperty("pointer").GetString(), Is.EqualTo(pointer));
    }
}
