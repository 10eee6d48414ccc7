using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Messaging.Testing;

namespace Messaging.Api.Tests.Notifications;

public sealed class DeviceTests
{
    private const string PublicKey = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
    private const string Secret = "BTBZMqHH6r4Tts7J_aSIgg";

    private ApiHost api = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => api = await ApiHost.StartAsync(
        ("Messaging:Accounts:Enabled", "true"), ("Messaging:Accounts:HashIterations", "10"));

    [OneTimeTearDown]
    public async Task StopAsync() => await api.DisposeAsync();

    [Test]
    public async Task A_device_is_registered_listed_and_deleted_by_its_user_alone()
    {
        var (ada, bob) = (Client(), Client());
        var body = Phone();

        var put = await ada.PutAsJsonAsync("/v1/devices/phone", body);
        var again = await ada.PutAsJsonAsync("/v1/devices/phone", body);

        Assert.That((put.StatusCode, again.StatusCode), Is.EqualTo((HttpStatusCode.Created, HttpStatusCode.OK)));
        Assert.That(put.Headers.Location!.OriginalString, Is.EqualTo("/v1/devices/phone"));
        var shown = (await ada.GetFromJsonAsync<JsonObject>("/v1/devices/phone"))!.ToJsonString();
        Assert.That((await DevicesAsync(ada)).Single()!.ToJsonString(), Is.EqualTo(shown));
        Assert.That((await bob.GetAsync("/v1/devices/phone")).StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
        await bob.DeleteAsync("/v1/devices/phone");
        Assert.That(await DevicesAsync(ada), Has.Count.EqualTo(1));
        Assert.That((await ada.DeleteAsync("/v1/devices/phone")).StatusCode, Is.EqualTo(HttpStatusCode.NoContent));
        Assert.That(await DevicesAsync(ada), Is.Empty);
    }

    [Test]
    public async Task A_token_belongs_to_whoever_registered_it_last()
    {
        var (ada, bob) = (Client(), Client());
        var body = Phone();
        await ada.PutAsJsonAsync("/v1/devices/phone", body);
        await ada.PutAsJsonAsync("/v1/devices/other", Phone());

        await bob.PutAsJsonAsync("/v1/devices/phone", body);

        Assert.That((await DevicesAsync(ada)).Select(device => (string?)device!["deviceId"]), Is.EqualTo(new[] { "other" }));
        Assert.That(await DevicesAsync(bob), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Of_users_who_register_a_token_at_once_one_has_it()
    {
        var users = Enumerable.Range(0, 6).Select(_ => Client()).ToList();
        var body = Phone();

        var answers = await Task.WhenAll(users.Select(user => user.PutAsJsonAsync("/v1/devices/phone", body)));

        Assert.That(answers.Select(answer => answer.StatusCode), Is.All.EqualTo(HttpStatusCode.Created));
        var devices = await Task.WhenAll(users.Select(DevicesAsync));
        Assert.That(devices.Sum(list => list.Count), Is.EqualTo(1));
    }

    [Test]
    public async Task A_user_has_at_most_fifty_devices_also_where_several_are_registered_at_once()
    {
        var user = $"u-{Guid.NewGuid():N}";
        var ada = api.ClientFor(user);
        await ada.GetAsync("/v1/me");
        await api.Database.RowsAsync(
            $"""
            INSERT INTO devices (user_id, device_id, platform, token, created_at, last_seen_at)
            SELECT '{user}', 'd' || n, 'ios', '{user}' || n, now(), now() FROM generate_series(1, 49) AS n
            """,
            _ => 0);

        var answers = await Task.WhenAll(Enumerable.Range(0, 5).Select(i => ada.PutAsJsonAsync($"/v1/devices/new{i}", Phone())));

        Assert.That(answers.Count(answer => answer.StatusCode is HttpStatusCode.Created), Is.EqualTo(1));
        var refused = await answers.First(answer => !answer.IsSuccessStatusCode).Content.ReadFromJsonAsync<JsonObject>();
        Assert.That((string?)refused!["code"], Is.EqualTo("limit-reached"));
        Assert.That((await ada.PutAsJsonAsync("/v1/devices/d7", Phone())).StatusCode, Is.EqualTo(HttpStatusCode.OK));
    }

    [TestCase("web", "http://push.example.com/1", true, "#/token")]
    [TestCase("web", "https://user:secret@push.example.com/1", true, "#/token")]
    [TestCase("web", "https://push.example.com:81/1", true, "#/token")]
    [TestCase("web", "https://push.example.com/1#2", true, "#/token")]
    [TestCase("web", "https://push.example.com/1#", true, "#/token")]
    [TestCase("web", "https://93.184.216.34/push", false, "#/keys")]
    [TestCase("android", "t", true, "#/keys")]
    [TestCase("android", "", false, "#/token")]
    [TestCase("ios", "two words", false, "#/token")]
    public async Task Devices_that_could_not_be_pushed_to_are_refused(string platform, string token, bool hasKeys, string pointer)
    {
        var keys = hasKeys ? new { p256dh = PublicKey, auth = Secret } : null;

        Assert.That(await PointersAsync(new { platform, token, keys }), Is.EqualTo(new[] { pointer }));
    }

    [TestCase("short", Secret, "#/keys/p256dh")]
    [TestCase(PublicKey, "no base64url!", "#/keys/auth")]
    [TestCase("A" + PublicKey, Secret, "#/keys/p256dh")]
    public async Task Keys_that_nobody_can_encrypt_with_are_refused(string p256dh, string auth, string pointer) =>
        Assert.That(
            await PointersAsync(new { platform = "web", token = "https://93.184.216.34/push", keys = new { p256dh, auth } }),
            Is.EqualTo(new[] { pointer }));

    // What a name leads to is looked at when a push is sent: an answer here would tell which names there are inside.
    [TestCase("93.184.216.34")]
    [TestCase("127.0.0.1")]
    [TestCase("localhost")]
    [TestCase("nowhere.invalid")]
    public async Task A_browser_is_registered_with_its_keys_whatever_its_server_s_name_leads_to(string host)
    {
        var ada = Client();
        var token = $"https://{host}/{Guid.NewGuid():N}";

        var put = await ada.PutAsJsonAsync(
            "/v1/devices/tab", new { platform = "web", token, keys = new { p256dh = PublicKey, auth = Secret } });

        Assert.That(put.StatusCode, Is.EqualTo(HttpStatusCode.Created), await put.Content.ReadAsStringAsync());
        Assert.That((string?)(await DevicesAsync(ada)).Single()!["keys"]!["p256dh"], Is.EqualTo(PublicKey));
    }

    [Test]
    public async Task Revoking_all_tokens_of_a_user_ends_the_pushes_to_all_devices_of_that_user_alone()
    {
        var user = $"u-{Guid.NewGuid():N}";
        var other = Client();
        await api.ClientFor(user).PutAsJsonAsync("/v1/devices/phone", Phone());
        await other.PutAsJsonAsync("/v1/devices/phone", Phone());

        (await api.ServiceClient().PostAsync($"/v1/users/{user}/tokens/revoke", null)).EnsureSuccessStatusCode();

        Assert.That(await DevicesAsync(api.ServiceClient(user)), Is.Empty);
        Assert.That(await DevicesAsync(other), Has.Count.EqualTo(1));
    }

    [TestCase("logout", "tablet")]
    [TestCase("reuse", "tablet")]
    [TestCase("login", "tablet")]
    [TestCase("password", "")]
    public async Task A_device_ends_with_the_login_that_it_was_registered_with(string end, string left)
    {
        var (username, password) = ($"u{Guid.NewGuid():N}"[..20], "a fox that reads at night");
        var phone = await PostAsync("", new { username, password });
        var tablet = await PostAsync("/login", new { username, password });
        await PutAsync(phone, "phone");
        await PutAsync(tablet, "tablet");
        var refreshToken = (string)phone["refreshToken"]!;
        Assert.That(await IdsAsync(phone), Is.EqualTo("phone tablet"));

        switch (end)
        {
            case "logout":
                await api.AnonymousClient().PostAsJsonAsync("/v1/accounts/logout", new { refreshToken });
                break;
            case "reuse":
                await PostAsync("/refresh", new { refreshToken });
                await PostAsync("/refresh", new { refreshToken });
                break;
            case "login":
                await PostAsync("/login", new { username, password, refreshToken });
                break;
            default:
                await api.ClientWithToken((string)tablet["accessToken"]!).PostAsJsonAsync(
                    "/v1/accounts/password", new { currentPassword = password, newPassword = "two owls in one old oak" });
                break;
        }

        Assert.That(await IdsAsync(phone), Is.EqualTo(left));

        async Task<JsonObject> PostAsync(string path, object body) =>
            (await (await api.AnonymousClient().PostAsJsonAsync($"/v1/accounts{path}", body)).Content.ReadFromJsonAsync<JsonObject>())!;

        Task PutAsync(JsonObject login, string device) =>
            api.ClientWithToken((string)login["accessToken"]!).PutAsJsonAsync($"/v1/devices/{device}", Phone());

        async Task<string> IdsAsync(JsonObject login)
        {
            var devices = await DevicesAsync(api.ServiceClient((string)login["user"]!["userId"]!));
            return string.Join(' ', devices.Select(device => (string)device!["deviceId"]!));
        }
    }

    [Test]
    public async Task A_device_ends_with_the_key_that_it_or_its_token_is_of()
    {
        var user = $"u-{Guid.NewGuid():N}";
        await api.ClientFor(user).PutAsJsonAsync("/v1/devices/watch", Phone());
        var made = await api.ServiceClient().PostAsJsonAsync(
            "/v1/admin/keys", new { name = "app", scopes = new[] { "tokens", "messages" } });
        var key = (await made.Content.ReadFromJsonAsync<JsonObject>())!;
        var service = api.ServiceClient(user, (string)key["key"]!);
        var minted = await api.ServiceClient(key: (string)key["key"]!).PostAsJsonAsync($"/v1/users/{user}/tokens", new { });
        var token = (string)(await minted.Content.ReadFromJsonAsync<JsonObject>())!["token"]!;
        await service.PutAsJsonAsync("/v1/devices/phone", Phone());
        await api.ClientWithToken(token).PutAsJsonAsync("/v1/devices/tablet", Phone());
        Assert.That(await DevicesAsync(service), Has.Count.EqualTo(3));

        (await api.ServiceClient().DeleteAsync($"/v1/admin/keys/{key["id"]}")).EnsureSuccessStatusCode();

        var left = (await DevicesAsync(api.ServiceClient(user))).Single();
        Assert.That((string?)left!["deviceId"], Is.EqualTo("watch"));
    }

    [Test]
    public async Task Tokens_reach_no_log()
    {
        var token = $"token-{Guid.NewGuid():N}";
        await Client().PutAsJsonAsync("/v1/devices/phone", new { platform = "android", token });
        await Client().PutAsJsonAsync("/v1/devices/phone", new { platform = "android", token = $"{token} and more" });

        Assert.That(api.Logs.Lines, Is.Not.Empty);
        Assert.That(api.Logs.Lines.Where(line => line.Contains(token, StringComparison.Ordinal)), Is.Empty);
    }

    private static object Phone() => new { platform = "android", token = $"t-{Guid.NewGuid():N}" };

    private HttpClient Client() => api.ClientFor($"u-{Guid.NewGuid():N}");

    private static async Task<JsonArray> DevicesAsync(HttpClient client) =>
        (await client.GetFromJsonAsync<JsonObject>("/v1/devices"))!["items"]!.AsArray();

    private async Task<IEnumerable<string>> PointersAsync(object body)
    {
        var answer = await Client().PutAsJsonAsync("/v1/devices/phone", body);
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest));
        var problem = (await answer.Content.ReadFromJsonAsync<JsonObject>())!;
        return problem["errors"]!.AsArray().Select(error => (string)error!["pointer"]!);
    }
}
