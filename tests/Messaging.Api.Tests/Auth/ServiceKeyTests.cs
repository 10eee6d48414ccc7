using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using Messaging.Testing;

namespace Messaging.Api.Tests.Auth;

public sealed class ServiceKeyTests
{
    ApiHost api = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => api = await ApiHost.StartAsync();

    [OneTimeTearDown]
    public async Task StopAsync() => await api.DisposeAsync();

    [Test]
    public async Task The_configured_key_may_do_everything() =>
        Assert.That(await PutUserAsync(ApiHost.ServiceKey), Is.AnyOf("200", "201"));

    [Test]
    public async Task A_created_key_is_good_for_its_scopes()
    {
        var key = await CreateAsync("users");

        Assert.That(await PutUserAsync(key), Is.AnyOf("200", "201"));
        Assert.That(await api.ServiceClient(key: key).GetAsync("/v1/admin/keys").OutcomeAsync(), Is.EqualTo("403 scope-missing"));
    }

    [Test]
    public async Task The_admin_scope_includes_all_others() =>
        Assert.That(await PutUserAsync(await CreateAsync("admin")), Is.AnyOf("200", "201"));

    [Test]
    public async Task A_key_without_the_scope_is_refused_before_its_body_is_read() =>
        Assert.That(
            await api.ServiceClient(key: await CreateAsync("messages", "events"))
                .PutAsync("/v1/users", new StringContent("nonsense", Encoding.UTF8, "application/json")).OutcomeAsync(),
            Is.EqualTo("403 scope-missing"));

    [Test]
    public async Task A_revoked_key_is_refused_from_the_next_request_on()
    {
        var key = await CreateAsync("users");
        Assert.That(await PutUserAsync(key), Is.AnyOf("200", "201"));

        Assert.That(await api.ServiceClient().DeleteAsync($"/v1/admin/keys/{IdOf(key)}").OutcomeAsync(), Is.EqualTo("204"));

        Assert.That(await PutUserAsync(key), Is.EqualTo("401 unauthenticated"));
    }

    [TestCase("msk_nobody_0123456789abcdef0123456789abcdef")]
    [TestCase("msk_tests_0123456789abcdef0123456789abcdeX")]
    [TestCase("msk_tests_short")]
    [TestCase("msk__0123456789abcdef0123456789abcdef")]
    [TestCase("msk_TESTS_0123456789abcdef0123456789abcdef")]
    [TestCase("nonsense")]
    public async Task A_key_that_is_unknown_wrong_or_no_key_is_refused(string key) =>
        Assert.That(await PutUserAsync(key), Is.EqualTo("401 unauthenticated"));

    [Test]
    public async Task A_key_that_comes_as_a_token_is_told_where_it_belongs()
    {
        var problem = await (await api.ClientWithToken(ApiHost.ServiceKey).GetAsync("/v1/sync")).JsonAsync();

        Assert.That(
            (problem.GetProperty("code").GetString(), problem.GetProperty("detail").GetString()),
            Is.EqualTo(("unauthenticated", "This is a service key: send it as 'X-Api-Key: <key>'.")));
    }

    [Test]
    public async Task The_id_of_a_key_with_the_secret_of_another_is_refused()
    {
        var (one, other) = (await CreateAsync("users"), await CreateAsync("users"));

        Assert.That(await PutUserAsync($"msk_{IdOf(one)}_{other.Split('_')[2]}"), Is.EqualTo("401 unauthenticated"));
    }

    [Test]
    public async Task Only_a_hash_of_the_secret_is_stored()
    {
        var key = await CreateAsync("users");
        await using var command = api.Database.DataSource.CreateCommand("SELECT secret_hash FROM service_keys WHERE id = $1");
        command.Parameters.Add(new() { Value = IdOf(key) });

        Assert.That(await command.ExecuteScalarAsync(), Is.EqualTo(SHA256.HashData(Encoding.UTF8.GetBytes(key.Split('_')[2]))));
    }

    [Test]
    public async Task No_answer_with_a_secret_is_remembered()
    {
        var client = api.ServiceClient();
        client.DefaultRequestHeaders.Add("Idempotency-Key", "once");
        await client.PutAsJsonAsync("/v1/users/anna", new { });
        await client.PostAsJsonAsync("/v1/admin/keys", new { name = "test", scopes = new[] { "users" } });
        await client.PostAsJsonAsync("/v1/users/anna/tokens", new { });
        await using var command = api.Database.DataSource.CreateCommand("SELECT count(*) FROM idempotency_keys");

        Assert.That(await command.ExecuteScalarAsync(), Is.Zero);
    }

    [Test]
    public async Task The_list_shows_keys_without_their_secrets()
    {
        var key = await CreateAsync("users", "events");

        var list = await api.ServiceClient().GetStringAsync("/v1/admin/keys?limit=100");

        Assert.That(list, Does.Contain($"\"id\":\"{IdOf(key)}\"").And.Contains("\"scopes\":[\"users\",\"events\"]"));
        Assert.That(list, Does.Not.Contain(key.Split('_')[2]));
    }

    [Test]
    public async Task Revoking_a_key_that_there_is_not_is_not_found() =>
        Assert.That(await api.ServiceClient().DeleteAsync("/v1/admin/keys/nobody").OutcomeAsync(), Is.EqualTo("404 not-found"));

    [TestCase("""{"name":"","scopes":["users"]}""", ExpectedResult = "#/name")]
    [TestCase("""{"name":"x","scopes":[]}""", ExpectedResult = "#/scopes")]
    [TestCase("""{"name":"x","scopes":["users","users"]}""", ExpectedResult = "#/scopes")]
    [TestCase("""{"name":"x","scopes":["everything"]}""", ExpectedResult = "#/scopes/0")]
    public Task<string> A_key_that_makes_no_sense_is_not_made(string body) =>
        api.ServiceClient().PostAsync("/v1/admin/keys", new StringContent(body, Encoding.UTF8, "application/json")).PointersAsync();

    [Test]
    public async Task A_user_is_no_service() =>
        Assert.That(
            await api.ClientFor("anna").PutAsJsonAsync("/v1/users/anna", new { displayName = "Anna" }).OutcomeAsync(),
            Is.EqualTo("403 not-allowed"));

    [Test]
    public async Task A_key_acts_as_a_known_user()
    {
        var key = await CreateAsync("users");
        await PutUserAsync(key, "carla");

        using var response = await api.ServiceClient("carla", key).GetAsync("/v1/me");

        Assert.That((await response.JsonAsync()).GetProperty("userId").GetString(), Is.EqualTo("carla"));
    }

    [Test]
    public async Task A_key_that_acts_as_a_user_may_do_what_users_may() =>
        Assert.That(
            await api.ServiceClient(await KnownAsync("dora")).PutAsJsonAsync("/v1/users/dora", new { }).OutcomeAsync(),
            Is.EqualTo("403 not-allowed"));

    [TestCase("nobody-knows")]
    [TestCase("no spaces")]
    [TestCase("")]
    public async Task A_key_does_not_act_as_a_user_that_there_is_not(string user)
    {
        Assert.That(await api.ServiceClient(user).GetAsync("/v1/me").PointersAsync(), Is.EqualTo("#/X-User-Id"));
        Assert.That(
            await api.ServiceClient(user, await CreateAsync("users")).GetAsync("/v1/me").PointersAsync(), Is.EqualTo("#/X-User-Id"));
    }

    [Test]
    public async Task A_bad_key_does_not_tell_who_is_known() =>
        Assert.That(
            await api.ServiceClient("nobody-knows", "msk_tests_0123456789abcdef0123456789abcdeX").GetAsync("/v1/me").OutcomeAsync(),
            Is.EqualTo("401 unauthenticated"));

    [Test]
    public async Task A_call_for_a_user_needs_one() =>
        Assert.That(await api.ServiceClient().GetAsync("/v1/me").PointersAsync(), Is.EqualTo("#/X-User-Id"));

    [TestCase("/v1/me", "This call acts for a user: send the X-User-Id header beside the service key, or a user token.")]
    [TestCase("/v1/conversations", "Without X-User-Id a service key lists by context: context=type:id is expected.")]
    public async Task That_a_user_is_needed_is_said_in_the_words_of_the_edge(string path, string detail)
    {
        var problem = await (await api.ServiceClient().GetAsync(path)).JsonAsync();

        Assert.That(
            (problem.GetProperty("code").GetString(), problem.GetProperty("detail").GetString()), Is.EqualTo(("invalid-request", detail)));
    }

    [Test]
    public async Task A_first_message_needs_the_scope_of_messages()
    {
        var client = api.ServiceClient(await KnownAsync("erna"), await CreateAsync("conversations"));
        var userId = await KnownAsync("fritz");

        Assert.That(
            await client.PostAsJsonAsync("/v1/conversations/direct", new { userId, message = new { text = "hello" } }).OutcomeAsync(),
            Is.EqualTo("403 scope-missing"));
        Assert.That(await client.PostAsJsonAsync("/v1/conversations/direct", new { userId }).OutcomeAsync(), Is.EqualTo("201"));
    }

    [TestCase("messages", ExpectedResult = "403 scope-missing")]
    [TestCase("events", ExpectedResult = "200")]
    public async Task<string> Hearing_events_live_needs_their_scope(string scope) =>
        await api.ServiceClient(await KnownAsync("gerda"), await CreateAsync(scope))
            .PostAsync("/hubs/messaging/negotiate?negotiateVersion=1", null).OutcomeAsync();

    Task<string> PutUserAsync(string key, string user = "anna") =>
        api.ServiceClient(key: key).PutAsJsonAsync($"/v1/users/{user}", new { displayName = user }).OutcomeAsync();

    async Task<string> KnownAsync(string user)
    {
        await PutUserAsync(ApiHost.ServiceKey, user);
        return user;
    }

    async Task<string> CreateAsync(params string[] scopes)
    {
        using var response = await api.ServiceClient().PostAsJsonAsync("/v1/admin/keys", new { name = "test", scopes });
        return (await response.JsonAsync()).GetProperty("key").GetString()!;
    }

    static string IdOf(string key) => key.Split('_')[1];
}
