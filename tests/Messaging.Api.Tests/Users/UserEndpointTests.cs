using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Messaging.Api.Tests.Auth;
using Messaging.Testing;

namespace Messaging.Api.Tests.Users;

public sealed class UserEndpointTests
{
    ApiHost api = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => api = await ApiHost.StartAsync(("Messaging:Limits:MetadataBytes", "16384"));

    [OneTimeTearDown]
    public async Task StopAsync() => await api.DisposeAsync();

    [Test]
    public async Task Putting_a_user_creates_and_then_replaces()
    {
        using var created = await PutAsync("olga", """{"displayName":"Olga","firstName":"A","metadata":{"team":"red"}}""");
        using var replaced = await PutAsync("olga", """{"displayName":"Olga B."}""");
        var user = await replaced.JsonAsync();

        Assert.That((created.StatusCode, created.Headers.Location),
            Is.EqualTo((HttpStatusCode.Created, new Uri("/v1/users/olga", UriKind.Relative))));
        Assert.That(replaced.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(
            (user.GetProperty("displayName").GetString(), user.GetProperty("firstName").GetString(),
                user.GetProperty("metadata").ValueKind),
            Is.EqualTo(("Olga B.", (string?)null, JsonValueKind.Null)));
    }

    [Test]
    public async Task A_user_has_just_the_members_of_the_contract()
    {
        using var created = await PutAsync("shape", "{}");

        Assert.That(
            (await created.JsonAsync()).EnumerateObject().Select(member => member.Name),
            Is.EquivalentTo(new[]
            {
                "userId", "displayName", "firstName", "lastName", "username", "avatarUrl", "metadata", "createdAt", "updatedAt",
            }));
    }

    [TestCase("""{"displayname":"x"}""", "#/displayname")]
    [TestCase("""{"userId":"anna"}""", "#/userId")]
    [TestCase("""{"displayName":1}""", "#/displayName")]
    [TestCase("""{"avatarUrl":"/relative"}""", "#/avatarUrl")]
    [TestCase("""{"avatarUrl":"ftp://host.test/x"}""", "#/avatarUrl")]
    [TestCase("""{"metadata":[]}""", "#/metadata")]
    public async Task A_profile_that_is_wrong_is_refused_with_its_pointer(string body, string pointer) =>
        Assert.That(await PutAsync("wrong", body).PointersAsync(), Is.EqualTo(pointer));

    [TestCase("displayName")]
    [TestCase("firstName")]
    [TestCase("lastName")]
    public async Task A_name_has_up_to_200_characters_however_many_bytes(string member)
    {
        string Body(int length) =>
            JsonSerializer.Serialize(new Dictionary<string, string> { [member] = string.Concat(Enumerable.Repeat("🦊", length)) });

        Assert.That(await PutAsync("long", Body(200)).OutcomeAsync(), Is.AnyOf("200", "201"));
        Assert.That(await PutAsync("long", Body(201)).PointersAsync(), Is.EqualTo($"#/{member}"));
    }

    [Test]
    public async Task Metadata_have_a_bound()
    {
        string Body(int length) => $$$"""{"metadata":{"x":"{{{new string('x', length - 9)}}}"}}""";

        Assert.That(await PutAsync("meta", Body(16_384)).OutcomeAsync(), Is.EqualTo("201"));
        Assert.That(await PutAsync("meta", Body(16_385)).PointersAsync(), Is.EqualTo("#/metadata"));
    }

    [TestCase("/v1/users/no%20spaces")]
    [TestCase("/v1/users/nobody-knows")]
    public async Task A_user_that_there_is_not_is_not_found(string path) =>
        Assert.That(await api.ClientFor("anna").GetAsync(path).OutcomeAsync(), Is.EqualTo("404 not-found"));

    [Test]
    public async Task An_email_serves_as_an_id()
    {
        await PutAsync("anna%40host.test", "{}");

        using var user = await api.ClientFor("bert").GetAsync("/v1/users/anna@host.test");

        Assert.That((await user.JsonAsync()).GetProperty("userId").GetString(), Is.EqualTo("anna@host.test"));
    }

    [Test]
    public async Task A_thousand_users_are_put_at_once_even_beyond_a_mebibyte()
    {
        var users = Enumerable.Range(0, 1_000).Select(i => new { userId = $"bulk-{i}", metadata = new { about = new string('x', 5_000) } });

        using var response = await PutManyAsync(new { users });
        var items = (await response.JsonAsync()).GetProperty("items");

        Assert.That(items.GetArrayLength(), Is.EqualTo(1_000));
        Assert.That(items[999].GetProperty("userId").GetString(), Is.EqualTo("bulk-999"));
    }

    [Test]
    public async Task More_than_a_thousand_users_at_once_are_refused() =>
        Assert.That(
            await PutManyAsync(new { users = Enumerable.Range(0, 1_001).Select(i => new { userId = $"more-{i}" }) }).PointersAsync(),
            Is.EqualTo("#/users"));

    [Test]
    public async Task A_body_beyond_20_mebibytes_is_too_large() =>
        Assert.That(await PutManyAsync(new { users = new[] { new { userId = new string('x', 20 * 1024 * 1024) } } }).OutcomeAsync(),
            Is.EqualTo("413 too-large"));

    [Test]
    public async Task Mistakes_in_a_list_of_users_are_pointed_at_and_nothing_is_written()
    {
        var users = new object[] { new { userId = "none-1" }, new { userId = "none-2", avatarUrl = "x" }, new { userId = "none-1" } };

        Assert.That(await PutManyAsync(new { users }).PointersAsync(), Is.EqualTo("#/users/1/avatarUrl #/users/2/userId"));
        Assert.That(await api.ClientFor("anna").GetAsync("/v1/users/none-1").OutcomeAsync(), Is.EqualTo("404 not-found"));
    }

    [TestCase("", "#/ids")]
    [TestCase("?ids=", "#/ids")]
    [TestCase("?ids=a,,b", "#/ids")]
    [TestCase("?ids=a%20b", "#/ids")]
    [TestCase("/search", "#/q")]
    [TestCase("/search?q=", "#/q")]
    [TestCase("/search?q=%00", "#/q")]
    [TestCase("/search?q=a&limit=0", "#/limit")]
    [TestCase("/search?q=a&limit=101", "#/limit")]
    [TestCase("/search?q=a&limit=x", "#/limit")]
    [TestCase("/search?q=a&cursor=!", "#/cursor")]
    [TestCase("/search?q=a&cursor=AA", "#/cursor")]
    public async Task A_query_that_makes_no_sense_is_refused_with_its_pointer(string query, string pointer) =>
        Assert.That(await api.ClientFor("anna").GetAsync("/v1/users" + query).PointersAsync(), Is.EqualTo(pointer));

    [Test]
    public async Task Up_to_100_users_are_asked_for_at_once()
    {
        static string Ids(int count) => "/v1/users?ids=" + string.Join(',', Enumerable.Range(0, count).Select(i => $"id-{i}"));

        Assert.That(await api.ClientFor("anna").GetAsync(Ids(100)).OutcomeAsync(), Is.EqualTo("200"));
        Assert.That(await api.ClientFor("anna").GetAsync(Ids(101)).PointersAsync(), Is.EqualTo("#/ids"));
    }

    [Test]
    public async Task A_minted_token_is_good()
    {
        await PutAsync("minty", "{}");
        using var response = await MintAsync("minty", """{"ttlSeconds":60}""");
        var minted = await response.JsonAsync();

        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.Created));
        Assert.That(minted.GetProperty("expiresAt").GetDateTimeOffset() - DateTimeOffset.UtcNow,
            Is.EqualTo(TimeSpan.FromSeconds(60)).Within(TimeSpan.FromSeconds(5)));
        Assert.That(
            await api.ClientWithToken(minted.GetProperty("token").GetString()!).GetAsync("/v1/me").OutcomeAsync(), Is.EqualTo("200"));
    }

    [Test]
    public async Task A_minted_token_has_no_address_and_the_document_names_none()
    {
        await PutAsync("minty", "{}");
        using var response = await MintAsync("minty", "{}");
        var document = await api.AnonymousClient().GetFromJsonAsync<JsonElement>("/openapi/v1.json");
        var headers = document.GetProperty("paths").GetProperty("/v1/users/{userId}/tokens").GetProperty("post").GetProperty("responses")
            .GetProperty("201").GetProperty("headers");

        Assert.That((response.Headers.Location, headers.TryGetProperty("Location", out _)), Is.EqualTo(((Uri?)null, false)));
    }

    [TestCase("""{"ttlSeconds":0}""")]
    [TestCase("""{"ttlSeconds":86401}""")]
    [TestCase("""{"ttlSeconds":null}""")]
    public async Task A_token_lives_from_a_second_to_a_day(string body)
    {
        await PutAsync("minty", "{}");

        Assert.That(await MintAsync("minty", body).PointersAsync(), Is.EqualTo("#/ttlSeconds"));
    }

    [Test]
    public async Task No_token_is_minted_for_a_user_that_there_is_not() =>
        Assert.That(await MintAsync("nobody-knows", "{}").OutcomeAsync(), Is.EqualTo("404 not-found"));

    Task<HttpResponseMessage> PutAsync(string id, string body) => api.ServiceClient().PutAsync($"/v1/users/{id}", Json(body));

    Task<HttpResponseMessage> PutManyAsync(object body) => api.ServiceClient().PutAsJsonAsync("/v1/users", body);

    Task<HttpResponseMessage> MintAsync(string id, string body) => api.ServiceClient().PostAsync($"/v1/users/{id}/tokens", Json(body));

    static StringContent Json(string body) => new(body, Encoding.UTF8, "application/json");
}
