using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Messaging.Api.Tests.Auth;
using Messaging.Testing;

namespace Messaging.Api.Tests.Accounts;

public sealed class AccountTests
{
    const string Password = "a fox that reads at night";
    const string OtherPassword = "two owls in one old oak";

    ApiHost api = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => api = await ApiHost.StartAsync(
        ("Messaging:Accounts:Enabled", "true"), ("Messaging:Accounts:HashIterations", "10"), ("Messaging:Accounts:LockoutFailures", "3"));

    [OneTimeTearDown]
    public async Task StopAsync() => await api.DisposeAsync();

    [Test]
    public async Task Registering_answers_as_logging_in_does()
    {
        var name = NewName();
        using var registered = await PostAsync("", new { username = name, password = Password, displayName = "Anna 🦊" });
        using var loggedIn = await PostAsync("/login", new { username = name, password = Password });

        var answers = new[] { await registered.JsonAsync(), await loggedIn.JsonAsync() };
        var user = answers[0].GetProperty("user");
        Assert.That((registered.StatusCode, loggedIn.StatusCode), Is.EqualTo((HttpStatusCode.Created, HttpStatusCode.OK)));
        Assert.That(registered.Headers.Location!.ToString(), Is.EqualTo($"/v1/users/{user.GetProperty("userId").GetString()}"));
        Assert.That((user.GetProperty("username").GetString(), user.GetProperty("displayName").GetString()), Is.EqualTo((name, "Anna 🦊")));
        foreach (var answer in answers)
            Assert.That(answer.EnumerateObject().Select(member => member.Name),
                Is.EqualTo(new[] { "accessToken", "expiresAt", "refreshToken", "user" }));
    }

    [Test]
    public async Task Answers_with_tokens_are_kept_by_no_cache()
    {
        using var registered = await PostAsync("", new { username = NewName(), password = Password });

        Assert.That(registered.Headers.CacheControl!.NoStore);
    }

    [Test]
    public async Task The_access_token_is_good_like_a_minted_one()
    {
        var login = await RegisterAsync(NewName());
        var client = api.ClientWithToken(AccessToken(login));

        var me = await client.GetFromJsonAsync<JsonElement>("/v1/me");
        var search = await client.GetFromJsonAsync<JsonElement>(
            $"/v1/users/search?q={me.GetProperty("username").GetString()![..^2].ToUpperInvariant()}");

        Assert.That(me.GetProperty("userId").GetString(), Is.EqualTo(login.GetProperty("user").GetProperty("userId").GetString()));
        Assert.That(search.GetProperty("items").EnumerateArray().Select(user => user.GetProperty("userId").GetString()),
            Has.Member(me.GetProperty("userId").GetString()));
        Assert.That(login.GetProperty("expiresAt").GetDateTimeOffset() - DateTimeOffset.UtcNow,
            Is.EqualTo(TimeSpan.FromMinutes(15)).Within(TimeSpan.FromMinutes(1)));
    }

    [Test]
    public async Task The_hub_takes_it_too()
    {
        var (anna, bert) = (await RegisterAsync(NewName()), await RegisterAsync(NewName()));
        await using var phone = await HubClient.ConnectAsync(api.Address, AccessToken(bert));

        using var opened = await api.ClientWithToken(AccessToken(anna)).PostAsJsonAsync(
            "/v1/conversations/direct",
            new { userId = bert.GetProperty("user").GetProperty("userId").GetString(), message = new { text = "hello" } });

        Assert.That(opened.StatusCode, Is.EqualTo(HttpStatusCode.Created));
        Assert.That((await phone.NextAsync("message:new")).GetProperty("data").GetProperty("text").GetString(), Is.EqualTo("hello"));
    }

    [Test]
    public async Task A_name_that_is_taken_is_a_conflict_with_its_pointer()
    {
        var name = NewName();
        await RegisterAsync(name);
        using var again = await PostAsync("", new { username = name.ToUpperInvariant(), password = Password });

        Assert.That(again.StatusCode, Is.EqualTo(HttpStatusCode.Conflict));
        Assert.That((await again.JsonAsync()).GetProperty("errors")[0].GetProperty("pointer").GetString(), Is.EqualTo("#/username"));
    }

    [Test]
    public async Task A_wrong_login_does_not_tell_who_is_there()
    {
        var name = NewName();
        await RegisterAsync(name);

        var known = await ProblemAsync("/login", new { username = name, password = OtherPassword });
        var unknown = await ProblemAsync("/login", new { username = NewName(), password = OtherPassword });

        Assert.That(known, Does.StartWith("401 unauthenticated"));
        Assert.That(unknown, Is.EqualTo(known));
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task A_locked_name_is_told_when_to_come_back(bool isThere)
    {
        var name = NewName();
        if (isThere)
            await RegisterAsync(name);
        for (var i = 0; i < 3; i++)
            Assert.That(await PostAsync("/login", new { username = name, password = OtherPassword }).OutcomeAsync(),
                Is.EqualTo("401 unauthenticated"));

        using var refused = await PostAsync("/login", new { username = name, password = Password });

        Assert.That((await refused.JsonAsync()).GetProperty("code").GetString(), Is.EqualTo("rate-limited"));
        Assert.That(refused.Headers.RetryAfter!.Delta!.Value.TotalMinutes, Is.EqualTo(15).Within(1));
    }

    [Test]
    public async Task A_refresh_token_is_good_once()
    {
        var login = await RegisterAsync(NewName());
        using var refreshed = await PostAsync("/refresh", new { refreshToken = RefreshToken(login) });
        var next = await refreshed.JsonAsync();

        Assert.That(refreshed.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(await api.ClientWithToken(AccessToken(next)).GetAsync("/v1/me").OutcomeAsync(), Is.EqualTo("200"));
        Assert.That(
            await PostAsync("/refresh", new { refreshToken = RefreshToken(login) }).OutcomeAsync(), Is.EqualTo("401 unauthenticated"));
        Assert.That(
            await PostAsync("/refresh", new { refreshToken = RefreshToken(next) }).OutcomeAsync(), Is.EqualTo("401 unauthenticated"));
    }

    [Test]
    public async Task A_login_from_a_known_device_ends_the_one_before()
    {
        var name = NewName();
        var (first, other) = (await RegisterAsync(name),
            await (await PostAsync("/login", new { username = name, password = Password })).JsonAsync());
        using var again = await PostAsync("/login", new { username = name, password = Password, refreshToken = RefreshToken(first) });

        Assert.That(again.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(
            await PostAsync("/refresh", new { refreshToken = RefreshToken(first) }).OutcomeAsync(), Is.EqualTo("401 unauthenticated"));
        Assert.That(await api.ClientWithToken(AccessToken(first)).GetAsync("/v1/me").OutcomeAsync(), Is.EqualTo("401 unauthenticated"));
        Assert.That(
            await PostAsync("/refresh", new { refreshToken = RefreshToken(await again.JsonAsync()) }).OutcomeAsync(), Is.EqualTo("200"));
        Assert.That(await PostAsync("/refresh", new { refreshToken = RefreshToken(other) }).OutcomeAsync(), Is.EqualTo("200"));
    }

    [Test]
    public async Task Refreshing_and_logging_in_do_not_mind_an_access_token_that_is_over()
    {
        var name = NewName();
        var login = await RegisterAsync(name);
        var client = api.ClientWithToken(ApiHost.Token("anna", TimeSpan.FromSeconds(-9)));

        Assert.That(await client.PostAsJsonAsync("/v1/accounts/refresh", new { refreshToken = RefreshToken(login) }).OutcomeAsync(),
            Is.EqualTo("200"));
        Assert.That(await client.PostAsJsonAsync("/v1/accounts/login", new { username = name, password = Password }).OutcomeAsync(),
            Is.EqualTo("200"));
    }

    [Test]
    public async Task Logging_out_has_nothing_to_say()
    {
        var login = await RegisterAsync(NewName());

        Assert.That(await PostAsync("/logout", new { refreshToken = RefreshToken(login) }).OutcomeAsync(), Is.EqualTo("204"));
        Assert.That(await PostAsync("/logout", new { refreshToken = "nonsense" }).OutcomeAsync(), Is.EqualTo("204"));
        Assert.That(
            await PostAsync("/refresh", new { refreshToken = RefreshToken(login) }).OutcomeAsync(), Is.EqualTo("401 unauthenticated"));
    }

    [Test]
    public async Task The_password_is_changed_by_its_owner_who_is_logged_in_anew()
    {
        var name = NewName();
        var login = await RegisterAsync(name);
        using var changed = await ChangeAsync(AccessToken(login), Password, OtherPassword);

        Assert.That(changed.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(
            await PostAsync("/refresh", new { refreshToken = RefreshToken(login) }).OutcomeAsync(), Is.EqualTo("401 unauthenticated"));
        Assert.That(
            await PostAsync("/refresh", new { refreshToken = RefreshToken(await changed.JsonAsync()) }).OutcomeAsync(), Is.EqualTo("200"));
        Assert.That(await PostAsync("/login", new { username = name, password = OtherPassword }).OutcomeAsync(), Is.EqualTo("200"));
    }

    [Test]
    public async Task A_password_is_not_changed_by_others()
    {
        var token = AccessToken(await RegisterAsync(NewName()));
        var body = new { currentPassword = Password, newPassword = OtherPassword };

        Assert.That(await ChangeAsync(token, OtherPassword, Password).OutcomeAsync(), Is.EqualTo("403 not-allowed"));
        Assert.That(await PostAsync("/password", body).OutcomeAsync(), Is.EqualTo("401 unauthenticated"));
        Assert.That(await ChangeAsync(ApiHost.Token("host-user"), Password, OtherPassword).OutcomeAsync(), Is.EqualTo("404 not-found"));
        Assert.That(await api.ServiceClient().PostAsJsonAsync("/v1/accounts/password", body).PointersAsync(), Is.EqualTo("#/X-User-Id"));
    }

    [TestCase("", """{"username":"ab","password":"short"}""", "#/username #/password")]
    [TestCase("", """{"username":"anna","password":"password123"}""", "#/password")]
    [TestCase("", """{"username":"anna","password":null}""", "#/password")]
    [TestCase("", """{"username":"anna","password":"a fox that reads at night","userId":"grace"}""", "#/userId")]
    [TestCase("", """{"username":"anna","password":"a fox that reads\u0000at night"}""", "#/password")]
    [TestCase("/login", """{"username":"anna"}""", "#/password")]
    [TestCase("/login", """{"username":"anna@host.test","password":""}""", "#/username #/password")]
    [TestCase("/refresh", """{"refreshToken":1}""", "#/refreshToken")]
    [TestCase("/logout", "{}", "#/refreshToken")]
    public async Task Invalid_input_is_refused_with_pointers_to_what_is_wrong(string path, string body, string pointers) =>
        Assert.That(await api.AnonymousClient().PostAsync("/v1/accounts" + path, Json(body)).PointersAsync(), Is.EqualTo(pointers));

    [TestCase("пароль пароль пароль")]
    [TestCase("🦊👨‍👩‍👧‍👦🦊👨‍👩‍👧‍👦")]
    [TestCase(" spaces before and after ")]
    [TestCase("\"quotes\" and \\ slashes")]
    public async Task Any_text_is_a_password(string password)
    {
        var name = NewName();
        await RegisterAsync(name, password);

        Assert.That(await PostAsync("/login", new { username = name, password }).OutcomeAsync(), Is.EqualTo("200"));
        Assert.That(await PostAsync("/login", new { username = name, password = password.Trim() + "." }).OutcomeAsync(),
            Is.EqualTo("401 unauthenticated"));
    }

    [TestCase("")]
    [TestCase("/login")]
    public async Task A_password_of_endless_marks_is_refused_for_its_length(string path)
    {
        var password = "a" + string.Concat(Enumerable.Repeat("\u0316\u0301", 20_000));

        Assert.That(await PostAsync(path, new { username = NewName(), password }).PointersAsync(), Is.EqualTo("#/password"));
    }

    [Test]
    public async Task A_password_is_the_same_however_it_was_typed()
    {
        var name = NewName();
        await RegisterAsync(name, "Ångström-Ångström");

        Assert.That(await PostAsync("/login", new { username = name, password = "A\u030angstro\u0308m-A\u030angstro\u0308m" })
            .OutcomeAsync(), Is.EqualTo("200"));
    }

    [Test]
    public async Task No_answer_with_a_token_is_remembered()
    {
        var client = api.AnonymousClient();
        client.DefaultRequestHeaders.Add("Idempotency-Key", "once");
        client.DefaultRequestHeaders.Add("Authorization", $"Bearer {AccessToken(await RegisterAsync(NewName()))}");
        var name = NewName();
        await client.PostAsJsonAsync("/v1/accounts", new { username = name, password = Password });
        await client.PostAsJsonAsync("/v1/accounts/login", new { username = name, password = Password });

        Assert.That(await api.Database.RowsAsync("SELECT count(*) FROM idempotency_keys", row => row.GetInt64(0)), Is.EqualTo(new[] { 0 }));
    }

    [Test]
    public async Task A_user_of_the_host_is_not_taken_over_by_registering_their_id()
    {
        (await api.ServiceClient().PutAsJsonAsync("/v1/users/grace", new { displayName = "Grace" })).EnsureSuccessStatusCode();

        var login = await RegisterAsync("grace");
        var me = await api.ClientFor("grace").GetFromJsonAsync<JsonElement>("/v1/me");

        Assert.That(login.GetProperty("user").GetProperty("userId").GetString(), Is.Not.EqualTo("grace"));
        Assert.That(
            (me.GetProperty("displayName").GetString(), me.GetProperty("username").GetString()), Is.EqualTo(("Grace", (string?)null)));
    }

    Task<HttpResponseMessage> PostAsync(string path, object body) => api.AnonymousClient().PostAsJsonAsync("/v1/accounts" + path, body);

    Task<HttpResponseMessage> ChangeAsync(string token, string current, string changed) =>
        api.ClientWithToken(token).PostAsJsonAsync("/v1/accounts/password", new { currentPassword = current, newPassword = changed });

    async Task<JsonElement> RegisterAsync(string name, string password = Password)
    {
        using var response = await PostAsync("", new { username = name, password });
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.Created));
        return await response.JsonAsync();
    }

    async Task<string> ProblemAsync(string path, object body)
    {
        using var response = await PostAsync(path, body);
        var problem = await response.JsonAsync();
        return $"{(int)response.StatusCode} {problem.GetProperty("code")} {problem.GetProperty("detail")} "
            + $"{problem.TryGetProperty("errors", out _)} {response.Headers.WwwAuthenticate}";
    }

    static string NewName() => $"anna_{Guid.NewGuid():N}"[..20];

    static string AccessToken(JsonElement login) => login.GetProperty("accessToken").GetString()!;

    static string RefreshToken(JsonElement login) => login.GetProperty("refreshToken").GetString()!;

    static StringContent Json(string body) => new(body, Encoding.UTF8, "application/json");
}
