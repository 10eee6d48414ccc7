using System.Net.Http.Json;
using System.Text.Json;
using Messaging.Api.Tests.Realtime;
using Messaging.Testing;
using Npgsql;

namespace Messaging.Api.Tests.Search;

public sealed class SearchEndpointTests : HubFixture
{
    private const string Search = "/v1/search/messages?q=river";

    [Test]
    public async Task A_page_has_messages_highlights_and_a_cursor()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        await SendAsync(ada, group, "a river");
        await SendAsync(bob, group, "the <b>River</b>");

        var first = await Api.ClientFor(bob).GetFromJsonAsync<JsonElement>("/v1/search/messages?q=riv&limit=1");
        var second = await Api.ClientFor(bob)
            .GetFromJsonAsync<JsonElement>($"/v1/search/messages?q=riv&limit=1&cursor={first.GetProperty("nextCursor").GetString()}");

        var item = first.GetProperty("items")[0];
        Assert.That(item.GetProperty("message").GetProperty("seq").GetInt64(), Is.EqualTo(3));
        Assert.That(item.GetProperty("highlight").GetRawText(), Is.EqualTo("""{"text":"the <b>River</b>","ranges":[[7,5]]}"""));
        Assert.That(second.GetProperty("items")[0].GetProperty("message").GetProperty("seq").GetInt64(), Is.EqualTo(2));
        Assert.That(second.GetProperty("nextCursor").ValueKind, Is.EqualTo(JsonValueKind.Null));
    }

    [Test]
    public async Task Six_whose_searches_hang_hold_up_no_strangers_and_wait_before_the_next()
    {
        var time = new ManualTime();
        await using var api = await ApiHost.StartAsync(time);
        var users = Enumerable.Range(0, 6).Select(i => $"mallory-{i}").Append("ada-stranger").ToList();
        foreach (var user in users)
            (await api.ClientFor(user).GetAsync("/v1/me")).EnsureSuccessStatusCode();
        (await api.ClientFor(users[0]).PostAsJsonAsync("/v1/conversations", new { name = "Group", participantIds = users[1..6] }))
            .EnsureSuccessStatusCode();
        await using var connection = await api.Database.DataSource.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var hold = new NpgsqlCommand("LOCK TABLE messages IN ACCESS EXCLUSIVE MODE", connection))
            await hold.ExecuteNonQueryAsync();

        var hostile = users[..6].ConvertAll(user => api.ClientFor(user).GetAsync(Search));
        var others = users.ConvertAll(user => api.ClientFor(user).GetAsync("/v1/me"));
        var stranger = await api.ClientFor(users[6]).GetAsync("/v1/users/search?q=mallory-3");

        Assert.That((await Task.WhenAll(others)).Append(stranger).Select(answer => (int)answer.StatusCode), Is.All.EqualTo(200));
        foreach (var answer in await Task.WhenAll(hostile))
            await AssertWaitsAsync(answer, 10);

        await transaction.RollbackAsync();
        time.Advance(TimeSpan.FromSeconds(4));
        await AssertWaitsAsync(await api.ClientFor(users[0]).GetAsync(Search), 6);
        time.Advance(TimeSpan.FromSeconds(6));
        Assert.That((int)(await api.ClientFor(users[0]).GetAsync(Search)).StatusCode, Is.EqualTo(200));
    }

    [Test]
    public async Task The_service_waits_after_a_search_of_users_that_hangs_by_its_key()
    {
        await using var api = await ApiHost.StartAsync(new ManualTime());
        var other = await (await api.ServiceClient().PostAsJsonAsync("/v1/admin/keys", new { name = "other", scopes = new[] { "users" } }))
            .Content.ReadFromJsonAsync<JsonElement>();
        await using var connection = await api.Database.DataSource.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var hold = new NpgsqlCommand("LOCK TABLE accounts IN ACCESS EXCLUSIVE MODE", connection))
            await hold.ExecuteNonQueryAsync();

        await AssertWaitsAsync(await api.ServiceClient().GetAsync("/v1/users/search?q=ada"), 10);
        await transaction.RollbackAsync();

        await AssertWaitsAsync(await api.ServiceClient().GetAsync("/v1/users/search?q=ada"), 10);
        var others = await api.ServiceClient(key: other.GetProperty("key").GetString()!).GetAsync("/v1/users/search?q=ada");
        Assert.That((int)others.StatusCode, Is.EqualTo(200));
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
    public async Task An_invalid_search_is_refused_with_its_pointer(string query, string pointer)
    {
        var answer = await Api.ClientFor(await UserAsync()).GetAsync($"/v1/search/messages{query}");

        Assert.That((int)answer.StatusCode, Is.EqualTo(400), await answer.Content.ReadAsStringAsync());
        Assert.That((await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("errors")[0].GetProperty("pointer").GetString(),
            Is.EqualTo(pointer));
    }

    private static async Task AssertWaitsAsync(HttpResponseMessage answer, int seconds)
    {
        Assert.That(((int)answer.StatusCode, answer.Headers.RetryAfter?.Delta), Is.EqualTo((503, TimeSpan.FromSeconds(seconds))));
        Assert.That((await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("detail").GetString(), Does.Contain("search"));
    }
}
