using System.Net.Http.Json;
using System.Text.Json;
using Messaging.Api.Tests.Auth;
using Messaging.Domain.Webhooks;
using Messaging.Testing;

namespace Messaging.Api.Tests.Webhooks;

public sealed class WebhookEndpointTests
{
    // Of the Internet, and called by none of these tests.
    private const string Url = "https://93.184.216.34/hook";

    private ApiHost api = null!;

    private HttpClient Service => api.ServiceClient();

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        api = await ApiHost.StartAsync();
        foreach (var id in new[] { "ada", "bob" })
            await Service.PutAsJsonAsync($"/v1/users/{id}", new { });
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        Assert.That(api.Logs.Lines.Where(line => line.Contains("whsec_", StringComparison.Ordinal)), Is.Empty);
        await api.DisposeAsync();
    }

    [Test]
    public async Task A_webhook_is_created_with_its_filters_and_shown_with_its_secret_once()
    {
        using var answer = await CreateAsync(new
        {
            url = Url, description = "Orders", eventTypes = (string[])["message:new", "contact:*"], contextType = "order",
            userIds = (string[])["ada"],
        });
        var created = await answer.JsonAsync();

        var read = await ReadAsync(IdOf(created));
        Assert.That((int)answer.StatusCode, Is.EqualTo(201));
        Assert.That(answer.Headers.Location!.OriginalString, Is.EqualTo($"/v1/webhooks/{IdOf(created)}"));
        Assert.That(WebhookSecret.TryParse(created.GetProperty("secret").GetString(), out _), Is.True);
        Assert.That(Members(read), Is.EqualTo(
            """Orders ["message:new","contact:*"] order ["ada"] True null"""), "and the filters come back");
        Assert.That(read.TryGetProperty("secret", out _), Is.False);
    }

    [Test]
    public async Task A_webhook_of_an_address_alone_is_enabled_and_has_no_filter()
    {
        var created = await CreatedAsync(new { url = Url });

        Assert.That(Members(created), Is.EqualTo("null [] null [] True null"));
    }

    [Test]
    public async Task A_secret_that_the_caller_brings_is_the_one()
    {
        var secret = WebhookSecret.New().Reveal();

        Assert.That((await CreatedAsync(new { url = Url, secret })).GetProperty("secret").GetString(), Is.EqualTo(secret));
    }

    [TestCase("""{"url":""}""", "#/url")]
    [TestCase("""{"url":"/hook"}""", "#/url")]
    [TestCase("""{"url":"ftp://93.184.216.34/"}""", "#/url")]
    [TestCase("""{"url":"https://me:secret@93.184.216.34/"}""", "#/url")]
    [TestCase("""{"url":"https://93.184.216.34/a b"}""", "#/url")]
    [TestCase("""{"url":"http://10.0.0.1/"}""", "#/url")]
    [TestCase("""{"url":"http://localhost:5080/"}""", "#/url")]
    [TestCase("""{"url":"http://0x7f.1/"}""", "#/url")]
    [TestCase("""{"url":"http:\\\\127.0.0.1\\"}""", "#/url")]
    [TestCase("""{"url":"http://[::ffff:10.0.0.1]/"}""", "#/url")]
    [TestCase("""{"url":null}""", "#/url")]
    [TestCase("""{"eventTypes":[]}""", "#/url")]
    [TestCase("""{"url":"https://93.184.216.34/","eventTypes":["message:new","message:gone"]}""", "#/eventTypes/1")]
    [TestCase("""{"url":"https://93.184.216.34/","contextType":"a b"}""", "#/contextType")]
    [TestCase("""{"url":"https://93.184.216.34/","userIds":["ada","nobody"]}""", "#/userIds/1")]
    [TestCase("""{"url":"https://93.184.216.34/","userIds":["ada","ada"]}""", "#/userIds")]
    [TestCase("""{"url":"https://93.184.216.34/","secret":"whsec_short"}""", "#/secret")]
    [TestCase("""{"url":"https://93.184.216.34/","eventType":"*"}""", "#/eventType")]
    public async Task A_webhook_that_is_wrong_is_refused_at_its_member(string body, string pointer) => Assert.That(
        await Service.PostAsync("/v1/webhooks", Json(body)).PointersAsync(), Is.EqualTo(pointer));

    // Its name may be given an address later; each call looks it up again.
    [Test]
    public async Task A_name_that_leads_nowhere_is_taken()
    {
        using var answer = await CreateAsync(new { url = "https://nobody.invalid/hook" });

        Assert.That((int)answer.StatusCode, Is.EqualTo(201));
    }

    [Test]
    public async Task A_private_address_is_taken_where_the_operator_allows_it()
    {
        await using var closed = await ApiHost.StartAsync(("Messaging:Webhooks:AllowPrivateNetworks", "true"));

        Assert.That(
            await closed.ServiceClient().PostAsJsonAsync("/v1/webhooks", new { url = "http://10.0.0.1/" }).OutcomeAsync(),
            Is.EqualTo("201"));
    }

    [Test]
    public async Task A_patch_changes_what_it_names()
    {
        var id = IdOf(await CreatedAsync(new
        {
            url = Url, description = "Orders", eventTypes = (string[])["*"], contextType = "order", userIds = (string[])["ada"],
        }));

        var patched = await PatchedAsync(id, """{"description":null,"userIds":["bob"],"enabled":false}""");

        Assert.That(Members(patched), Is.EqualTo("""null ["*"] order ["bob"] False null"""));
        Assert.That(Members(await ReadAsync(id)), Is.EqualTo(Members(patched)));
    }

    [Test]
    public async Task A_null_in_a_patch_is_the_default()
    {
        var id = IdOf(await CreatedAsync(new
        {
            url = Url, eventTypes = (string[])["*"], contextType = "order", userIds = (string[])["ada"], enabled = false,
        }));

        var patched = await PatchedAsync(id, """{"eventTypes":null,"contextType":null,"userIds":null,"enabled":null}""");

        Assert.That(Members(patched), Is.EqualTo("null [] null [] True null"));
    }

    [TestCase("""{"url":null}""", "#/url")]
    [TestCase("""{"url":"http://192.168.0.1/"}""", "#/url")]
    [TestCase("""{"eventTypes":["gone:*"]}""", "#/eventTypes/0")]
    [TestCase("""{"userIds":["nobody"]}""", "#/userIds/0")]
    [TestCase("""{"secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}""", "#/secret")]
    public async Task A_patch_that_is_wrong_is_refused_at_its_member(string patch, string pointer)
    {
        var id = IdOf(await CreatedAsync(new { url = Url }));

        Assert.That(await Service.PatchAsync($"/v1/webhooks/{id}", Json(patch)).PointersAsync(), Is.EqualTo(pointer));
    }

    [Test]
    public async Task Enabling_it_again_clears_why_it_was_disabled()
    {
        var id = IdOf(await CreatedAsync(new { url = Url }));
        await api.Database.RowsAsync($"UPDATE webhooks SET enabled = false, disabled_reason = 'gone' WHERE id = '{id}'", _ => 0);
        Assert.That(Members(await PatchedAsync(id, """{"description":"Still off"}""")), Does.EndWith("False gone"));

        Assert.That(Members(await PatchedAsync(id, """{"enabled":true}""")), Does.EndWith("True null"));
    }

    [Test]
    public async Task A_patch_of_another_version_is_refused()
    {
        using var created = await CreateAsync(new { url = Url });
        var id = IdOf(await created.JsonAsync());
        await PatchedAsync(id, """{"description":"Another's"}""");
        using var late = new HttpRequestMessage(HttpMethod.Patch, $"/v1/webhooks/{id}") { Content = Json("""{"description":"Mine"}""") };
        late.Headers.IfMatch.Add(created.Headers.ETag!);

        Assert.That(await Service.SendAsync(late).OutcomeAsync(), Is.EqualTo("412 version-mismatch"));
    }

    [Test]
    public async Task A_webhook_that_was_deleted_is_not_found()
    {
        var id = IdOf(await CreatedAsync(new { url = Url }));

        Assert.That(await Service.DeleteAsync($"/v1/webhooks/{id}").OutcomeAsync(), Is.EqualTo("204"));

        Assert.That(await Service.GetAsync($"/v1/webhooks/{id}").OutcomeAsync(), Is.EqualTo("404 not-found"));
        Assert.That(await Service.DeleteAsync($"/v1/webhooks/{id}").OutcomeAsync(), Is.EqualTo("404 not-found"));
        Assert.That(await Service.PatchAsync($"/v1/webhooks/{id}", Json("{}")).OutcomeAsync(), Is.EqualTo("404 not-found"));
        Assert.That(await RotateAsync(id, null).OutcomeAsync(), Is.EqualTo("404 not-found"));
    }

    [Test]
    public async Task The_list_has_every_webhook_once_page_by_page_and_no_secret()
    {
        var made = new[] { IdOf(await CreatedAsync(new { url = Url })), IdOf(await CreatedAsync(new { url = Url })) };

        List<JsonElement> listed = [];
        for (string? next = ""; next is not null;)
        {
            var page = await Service.GetFromJsonAsync<JsonElement>($"/v1/webhooks?limit=1{next}");
            listed.AddRange(page.GetProperty("items").EnumerateArray());
            next = page.GetProperty("nextCursor").GetString() is { } cursor ? $"&cursor={cursor}" : null;
        }

        Assert.That(listed.Select(IdOf), Is.Unique.And.SupersetOf(made));
        Assert.That(listed.Where(webhook => webhook.TryGetProperty("secret", out _)), Is.Empty);
    }

    [Test]
    public async Task A_secret_that_is_replaced_stays_in_force_for_a_day()
    {
        var created = await CreatedAsync(new { url = Url });

        var rotated = await (await RotateAsync(IdOf(created), null)).JsonAsync();

        Assert.That(rotated.GetProperty("secret").GetString(), Is.Not.EqualTo(created.GetProperty("secret").GetString()));
        Assert.That(
            await SecretsAsync(created),
            Is.EqualTo($"{rotated.GetProperty("secret").GetString()} {created.GetProperty("secret").GetString()} 1 day"));
    }

    [Test]
    public async Task A_secret_that_leaked_is_replaced_at_once()
    {
        var created = await CreatedAsync(new { url = Url });

        var rotated = await (await RotateAsync(IdOf(created), """{"keepSeconds":0}""")).JsonAsync();

        Assert.That(await SecretsAsync(created), Is.EqualTo(rotated.GetProperty("secret").GetString()));
    }

    [Test]
    public async Task To_rotate_to_the_secret_it_has_changes_nothing()
    {
        var (created, secret) = (await CreatedAsync(new { url = Url }), WebhookSecret.New().Reveal());
        await RotateAsync(IdOf(created), $$"""{"secret":"{{secret}}"}""");
        var once = await SecretsAsync(created);

        var again = await (await RotateAsync(IdOf(created), $$"""{"secret":"{{secret}}"}""")).JsonAsync();

        Assert.That(again.GetProperty("secret").GetString(), Is.EqualTo(secret));
        Assert.That(await SecretsAsync(created), Is.EqualTo(once));
    }

    [TestCase("""{"keepSeconds":-1}""", "#/keepSeconds")]
    [TestCase("""{"keepSeconds":2592001}""", "#/keepSeconds")]
    [TestCase("""{"secret":"mine"}""", "#/secret")]
    public async Task A_rotation_that_is_wrong_is_refused_at_its_member(string body, string pointer)
    {
        var id = IdOf(await CreatedAsync(new { url = Url }));

        Assert.That(await RotateAsync(id, body).PointersAsync(), Is.EqualTo(pointer));
    }

    [Test]
    public async Task A_creation_that_is_repeated_with_its_key_makes_one()
    {
        var (first, second) = (await CreateWithKeyAsync("one"), await CreateWithKeyAsync("one"));

        Assert.That((IdOf(second), second.GetProperty("secret").GetString()),
            Is.EqualTo((IdOf(first), first.GetProperty("secret").GetString())));
    }

    private static string Members(JsonElement webhook) => string.Join(
        ' ',
        from name in new[] { "description", "eventTypes", "contextType", "userIds", "enabled", "disabledReason" }
        let member = webhook.TryGetProperty(name, out var value) ? value : default
        select member.ValueKind switch
        {
            JsonValueKind.Array => member.GetRawText(),
            JsonValueKind.Undefined or JsonValueKind.Null => "null",
            _ => member.ToString(),
        });

    private static string IdOf(JsonElement webhook) => webhook.GetProperty("id").GetString()!;

    private static StringContent Json(string text) => new(text, System.Text.Encoding.UTF8, "application/json");

    private Task<HttpResponseMessage> CreateAsync(object body) => Service.PostAsJsonAsync("/v1/webhooks", body);

    private async Task<JsonElement> CreatedAsync(object body) => await (await CreateAsync(body)).JsonAsync();

    private async Task<JsonElement> CreateWithKeyAsync(string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/webhooks") { Content = JsonContent.Create(new { url = Url }) };
        request.Headers.Add("Idempotency-Key", key);
        return await (await Service.SendAsync(request)).JsonAsync();
    }

    private Task<JsonElement> ReadAsync(string id) => Service.GetFromJsonAsync<JsonElement>($"/v1/webhooks/{id}");

    private async Task<JsonElement> PatchedAsync(string id, string patch) =>
        await (await Service.PatchAsync($"/v1/webhooks/{id}", Json(patch))).JsonAsync();

    private Task<HttpResponseMessage> RotateAsync(string id, string? body) =>
        Service.PostAsync($"/v1/webhooks/{id}/secret/rotate", body is null ? null : Json(body));

    // What calls are signed with, and for how long with the former one.
    private async Task<string> SecretsAsync(JsonElement webhook) => (await api.Database.RowsAsync(
        "SELECT concat_ws(' ', secret, previous_secret, previous_secret_until - updated_at) FROM webhooks "
        + $"WHERE id = '{IdOf(webhook)}'", row => row.GetString(0))).Single();
}
