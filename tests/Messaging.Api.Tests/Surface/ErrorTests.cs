using System.Net;
using System.Net.Http.Json;
using System.Text;
using Messaging.Api.Tests.Auth;
using Messaging.Testing;

namespace Messaging.Api.Tests.Surface;

public sealed class ErrorTests
{
    ApiHost api = null!;

    HttpClient User => api.ClientFor("anna");

    [OneTimeSetUp]
    public async Task StartAsync() => api = await ApiHost.StartAsync();

    [OneTimeTearDown]
    public async Task StopAsync() => await api.DisposeAsync();

    [TestCase("GET", "/v1/nothing", "404 not-found")]
    [TestCase("GET", "/nothing", "404 not-found")]
    [TestCase("DELETE", "/v1/unread", "405 method-not-allowed")]
    [TestCase("GET", "/v1/conversations/not-a-uuid", "404 not-found")]
    [TestCase("GET", "/v1/conversations/{0195e3a2-7c3f-7b1e-9a55-3f0a4d1c2b6e}", "404 not-found")]
    [TestCase("GET", "/v1/users/no%20id", "404 not-found")]
    [TestCase("GET", "/v1/conversations?limit=many", "400 invalid-request")]
    [TestCase("GET", "/v1/conversations?limit=0", "400 invalid-request")]
    [TestCase("GET", "/v1/conversations?limit=101", "400 invalid-request")]
    [TestCase("GET", "/v1/conversations?q=a%00b", "400 invalid-request")]
    [TestCase("GET", "/v1/conversations?filter=nonsense", "400 invalid-request")]
    [TestCase("GET", "/v1/conversations?filter=0", "400 invalid-request")]
    [TestCase("GET", "/v1/conversations?unheard-of=1", "200")]
    public async Task A_request_out_of_place_is_refused_in_one_shape(string method, string path, string expected)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        Assert.That(await User.SendAsync(request).OutcomeAsync(), Is.EqualTo(expected));
    }

    [TestCase("limit=many", "#/limit")]
    [TestCase("limit=0", "#/limit")]
    [TestCase("q=a%00b", "#/q")]
    [TestCase("=a%00b", "#/")]
    [TestCase("%00=a", "#/")]
    [TestCase("a/b=%00", "#/a~1b")]
    [TestCase("context=none&limit=0", "#/context #/limit")]
    [TestCase("filter=nonsense", "#/filter")]
    public async Task A_bad_query_parameter_is_pointed_at(string query, string pointer) =>
        Assert.That(await User.GetAsync($"/v1/conversations?{query}").PointersAsync(), Is.EqualTo(pointer));

    [TestCase("limit=0", "#/context #/limit")]
    [TestCase("context=none&limit=0", "#/context #/limit")]
    public async Task A_service_hears_of_all_that_is_wrong_with_a_listing(string query, string pointers) =>
        Assert.That(await api.ServiceClient().GetAsync($"/v1/conversations?{query}").PointersAsync(), Is.EqualTo(pointers));

    [TestCase("/v1/conversations?limit=many", "Expected: a whole number within bounds.")]
    [TestCase("/v1/conversations?limit=99999999999", "Expected: a whole number within bounds.")]
    [TestCase("/v1/conversations?type=nonsense", "Expected: one of direct, group.")]
    [TestCase("/v1/search/messages?q=fox&from=today", "Expected: a time such as 2026-11-20T10:15:30.123Z.")]
    [TestCase("/v1/search/messages?q=fox&senderId=no%20id", "Expected: a user id of 1 to 64 characters out of A-Z a-z 0-9 _ . : @ -.")]
    [TestCase("/v1/search/messages?q=fox&conversationId=none", "Expected: the id of a conversation, a UUID.")]
    public async Task A_bad_query_parameter_is_told_what_is_expected(string path, string detail)
    {
        using var response = await User.GetAsync(path);
        Assert.That((await response.JsonAsync()).GetProperty("errors")[0].GetProperty("detail").GetString(), Is.EqualTo(detail));
    }

    [Test]
    public async Task A_problem_has_every_member_that_the_contract_names()
    {
        using var response = await User.GetAsync("/v1/conversations?limit=many");
        var problem = await response.JsonAsync();
        Assert.Multiple(() =>
        {
            Assert.That(problem.EnumerateObject().Select(member => member.Name), Is.EqualTo(
                new[] { "type", "title", "status", "detail", "instance", "code", "traceId", "errors" }));
            Assert.That(problem.GetProperty("type").GetString(), Is.EqualTo("urn:messaging:problem:invalid-request"));
            Assert.That(problem.GetProperty("status").GetInt32(), Is.EqualTo(400));
            Assert.That(problem.GetProperty("instance").GetString(), Is.EqualTo("/v1/conversations"));
            Assert.That(problem.GetProperty("traceId").GetString(), Does.Match("^[0-9a-f]{32}$"));
        });
    }

    [Test]
    public async Task Errors_never_echo_the_values_that_a_client_sent()
    {
        using var response = await User.PostAsync("/v1/conversations", Json("""{"name": "s3cr3t", "participantIds": "s3cr3t"}"""));
        Assert.That((int)response.StatusCode, Is.EqualTo(400));
        Assert.That(await response.Content.ReadAsStringAsync(), Does.Not.Contain("s3cr3t"));
    }

    [Test]
    public async Task A_method_that_is_not_there_is_told_with_those_that_are()
    {
        using var response = await User.DeleteAsync("/v1/unread");
        Assert.That(response.Content.Headers.Allow, Is.EqualTo(new[] { "GET" }));
    }

    [Test]
    public async Task Options_names_the_methods()
    {
        using var request = new HttpRequestMessage(HttpMethod.Options, "/v1/users");
        using var response = await User.SendAsync(request);
        Assert.Multiple(() =>
        {
            Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.NoContent));
            Assert.That(response.Content.Headers.Allow, Is.EquivalentTo(new[] { "GET", "PUT" }));
        });
    }

    [Test]
    public async Task Head_is_answered_as_get_without_the_body()
    {
        using var request = new HttpRequestMessage(HttpMethod.Head, "/v1/unread");
        using var response = await User.SendAsync(request);
        await Assert.MultipleAsync(async () =>
        {
            Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.OK));
            Assert.That(await response.Content.ReadAsStringAsync(), Is.Empty);
        });
    }

    [TestCase("text/plain")]
    [TestCase("application/xml")]
    [TestCase("application/json; charset=nonsense")]
    public async Task A_body_of_another_type_is_refused(string type)
    {
        using var content = new ByteArrayContent("{}"u8.ToArray());
        content.Headers.TryAddWithoutValidation("Content-Type", type);
        Assert.That(await User.PostAsync("/v1/conversations", content).OutcomeAsync(), Is.EqualTo("415 unsupported-media"));
    }

    [TestCase("application/json")]
    [TestCase("application/merge-patch+json")]
    public async Task A_patch_may_say_that_it_is_one(string type)
    {
        using var content = new StringContent("""{"displayName": "Anna"}""", Encoding.UTF8, type);
        Assert.That(await User.PatchAsync("/v1/me", content).OutcomeAsync(), Is.EqualTo("200"));
    }

    [Test]
    public async Task A_body_over_one_MiB_is_too_large() => Assert.That(
        await User.PostAsync("/v1/conversations", Json($$"""{"name": "{{new string('n', 1024 * 1024)}}", "participantIds": []}"""))
            .OutcomeAsync(),
        Is.EqualTo("413 too-large"));

    [Test]
    public async Task Many_users_may_take_more()
    {
        var users = Enumerable.Range(0, 1000).Select(i => new { userId = $"many-{i}", metadata = new { note = new string('n', 2000) } });
        Assert.That(await api.ServiceClient().PutAsJsonAsync("/v1/users", new { users }).OutcomeAsync(), Is.EqualTo("200"));
    }

    [TestCase("text/html", "406 not-acceptable")]
    [TestCase("application/json;q=0", "406 not-acceptable")]
    [TestCase("application/*", "200")]
    [TestCase("text/html, */*;q=0.1", "200")]
    public async Task An_answer_is_json_or_none(string accept, string expected)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/unread");
        request.Headers.TryAddWithoutValidation("Accept", accept);
        Assert.That(await User.SendAsync(request).OutcomeAsync(), Is.EqualTo(expected));
    }

    [Test]
    public async Task A_database_that_is_away_is_503_with_a_time_to_try_again()
    {
        await using var lost = await ApiHost.StartAsync();
        var client = lost.ServiceClient();
        await lost.Database.DisposeAsync();

        using var response = await client.GetAsync("/v1/users/anna");
        await Assert.MultipleAsync(async () =>
        {
            Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.ServiceUnavailable));
            Assert.That(response.Headers.RetryAfter?.Delta, Is.GreaterThan(TimeSpan.Zero));
            Assert.That((await response.JsonAsync()).GetProperty("code").GetString(), Is.EqualTo("unavailable"));
        });
    }

    static StringContent Json(string body) => new(body, Encoding.UTF8, "application/json");
}
