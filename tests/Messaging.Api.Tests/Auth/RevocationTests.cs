using System.Net.Http.Json;
using System.Text.Json;
using Messaging.Api.Cli;
using Messaging.Application.Revocations;
using Messaging.Domain.Common;
using Messaging.Testing;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;
using Npgsql;

namespace Messaging.Api.Tests.Auth;

public sealed class RevocationTests
{
    const string Good = "200";
    const string Refused = "401 unauthenticated";
    const string Password = "a fox that reads at night";

    ApiHost api = null!;
    ApiHost other = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        api = await ApiHost.StartAsync(("Messaging:Accounts:Enabled", "true"), ("Messaging:Accounts:HashIterations", "10"));
        other = api.StartAnother();
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        await other.DisposeAsync();
        await api.DisposeAsync();
    }

    [Test]
    public async Task Tokens_of_before_are_refused_at_once_here_and_soon_elsewhere()
    {
        var (user, token) = TokenOfBefore();
        Assert.That((await MeAsync(api, token), await MeAsync(other, token)), Is.EqualTo((Good, Good)));

        Assert.That(await RevokeAsync(user), Is.EqualTo("204"));

        Assert.That(await MeAsync(api, token), Is.EqualTo(Refused));
        await UntilAsync(async () => await MeAsync(other, token) == Refused);
    }

    [Test]
    public async Task A_token_counts_as_issued_before_up_to_the_second_of_the_revocation()
    {
        var user = NewUser();
        await RevokeAsync(user);
        var second = (await api.Database.RowsAsync(
            $"SELECT floor(extract(epoch FROM revoked_at))::bigint FROM revocations WHERE kind = 'tokens' AND subject = '{user}'",
            row => row.GetInt64(0))).Single();

        string[] outcomes =
        [
            await MeAsync(api, Token(user, second)), await MeAsync(api, Token(user, second + 0.9)), await MeAsync(api, Token(user, null)),
            await MeAsync(api, Token(user, second + 1)),
        ];
        Assert.That(outcomes, Is.EqualTo(new[] { Refused, Refused, Refused, Good }));
    }

    [TestCase(120, 1)]
    [TestCase(-300, 1000)]
    public async Task A_token_that_says_to_be_issued_in_the_future_does_not_outlive_the_revocation(int secondsAhead, long unit)
    {
        var user = NewUser();
        var token = Token(user, DateTimeOffset.UtcNow.AddSeconds(secondsAhead).ToUnixTimeSeconds() * unit);
        await RevokeAsync(user);

        Assert.That(await MeAsync(api, token), Is.EqualTo(Refused));
    }

    [Test]
    public async Task A_revocation_holds_for_a_user_who_has_not_come_yet_and_makes_nobody()
    {
        var (user, token) = TokenOfBefore();
        await RevokeAsync(user);

        Assert.That(await MeAsync(other, token), Is.EqualTo(Refused));
        Assert.That(await api.ServiceClient().GetAsync($"/v1/users/{user}").OutcomeAsync(), Is.EqualTo("404 not-found"));
    }

    [Test]
    public async Task A_token_minted_right_after_the_revocation_is_good()
    {
        var user = await KnownAsync();
        await RevokeAsync(user);

        Assert.That(await MeAsync(api, await MintAsync(user, ApiHost.ServiceKey)), Is.EqualTo(Good));
    }

    [Test]
    public async Task Revoking_again_ends_the_tokens_since_then()
    {
        var user = await KnownAsync();
        await RevokeAsync(user);
        var token = Token(user, DateTimeOffset.UtcNow.AddSeconds(1).ToUnixTimeSeconds());
        Assert.That(await MeAsync(api, token), Is.EqualTo(Good));

        await UntilAsync(async () => await RevokeAsync(user) == "204" && await MeAsync(api, token) == Refused);
    }

    [Test]
    public async Task Revoking_twice_within_a_second_ends_what_was_minted_between_and_lets_the_next_one_in()
    {
        var user = await KnownAsync();
        await RevokeAsync(user);
        var between = await MintAsync(user, ApiHost.ServiceKey);
        await RevokeAsync(user);

        var next = await MintAsync(user, ApiHost.ServiceKey);

        Assert.That((await MeAsync(api, between), await MeAsync(api, next)), Is.EqualTo((Refused, Good)));
        Assert.That(await MeAsync(other, between), Is.EqualTo(Refused));
    }

    [Test]
    public async Task No_token_is_minted_that_the_next_revocation_would_not_end()
    {
        var user = await KnownAsync();
        await StoreAsync(user, "clock_timestamp() + interval '1 minute'", "pg_current_xact_id()");

        Assert.That(
            await api.ServiceClient().PostAsJsonAsync($"/v1/users/{user}/tokens", new { }).OutcomeAsync(), Is.EqualTo("503 unavailable"));
    }

    // Numbered as the nodes do not find it: they never know of it.
    [Test]
    public async Task A_token_minted_where_the_revocation_is_not_known_yet_is_good()
    {
        var user = await KnownAsync();
        await StoreAsync(user, "clock_timestamp() + interval '1 second'", "'3'");

        Assert.That(await MeAsync(other, await MintAsync(user, ApiHost.ServiceKey)), Is.EqualTo(Good));
    }

    [Test]
    public async Task A_revocation_that_another_server_numbered_anew_is_found_on_a_new_connection()
    {
        var user = NewUser();
        await StoreAsync(user, "clock_timestamp()", "'3'");

        await api.Database.RowsAsync(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
            + "AND query LIKE '%FROM revocations%xact%'", _ => 0);

        await UntilAsync(() => Task.FromResult(EndedAt(user) is not null));
    }

    [Test]
    public async Task A_key_with_another_scope_neither_mints_nor_revokes()
    {
        var (user, key) = (await KnownAsync(), await KeyAsync("users"));

        string[] outcomes =
        [
            await api.ServiceClient(key: key).PostAsJsonAsync($"/v1/users/{user}/tokens", new { }).OutcomeAsync(),
            await api.ServiceClient(key: key).PostAsync($"/v1/users/{user}/tokens/revoke", null).OutcomeAsync(),
        ];
        Assert.That(outcomes, Is.All.EqualTo("403 scope-missing"));
    }

    [Test]
    public async Task A_minted_token_dies_with_its_key_and_no_other_does()
    {
        var (user, key) = (await KnownAsync(), await KeyAsync("tokens"));
        var (token, kept) = (await MintAsync(user, key), await MintAsync(user, ApiHost.ServiceKey));
        Assert.That((await MeAsync(api, token), await MeAsync(other, token)), Is.EqualTo((Good, Good)));

        await api.ServiceClient().DeleteAsync($"/v1/admin/keys/{IdOf(key)}");

        Assert.That((await MeAsync(api, token), await MeAsync(api, kept)), Is.EqualTo((Refused, Good)));
        await UntilAsync(async () => await MeAsync(other, token) == Refused);
    }

    [Test]
    public async Task A_minted_token_that_is_seen_only_after_its_key_was_revoked_is_refused()
    {
        var (user, key) = (await KnownAsync(), await KeyAsync("tokens"));
        var token = await MintAsync(user, key);

        await api.ServiceClient().DeleteAsync($"/v1/admin/keys/{IdOf(key)}");

        Assert.That(await MeAsync(other, token), Is.EqualTo(Refused));
    }

    [Test]
    public async Task A_minted_token_dies_with_a_key_that_the_command_line_revokes()
    {
        var (user, key) = (await KnownAsync(), await KeyAsync("tokens"));
        var token = await MintAsync(user, key);
        Assert.That(await MeAsync(api, token), Is.EqualTo(Good));

        var settings = new Dictionary<string, string?>
        {
            ["ConnectionStrings:Messaging"] = api.Database.ConnectionString,
            ["Messaging:Auth:Issuer"] = ApiHost.Issuer,
            ["Messaging:Auth:Audience"] = ApiHost.Audience,
        };
        Assert.That(await Verbs.TryRunAsync(["keys", "revoke", IdOf(key)], TextWriter.Null, TextWriter.Null, settings), Is.Zero);

        await UntilAsync(async () => await MeAsync(api, token) == Refused);
    }

    [Test]
    public async Task A_token_of_a_key_that_is_configured_no_more_is_refused() =>
        Assert.That(await MeAsync(api, ApiHost.Token(await KnownAsync(), null, ("messaging:key", "former"))), Is.EqualTo(Refused));

    [Test]
    public async Task A_revocation_that_commits_after_later_ones_is_not_missed()
    {
        var (late, early) = (NewUser(), NewUser());
        await using var connection = await api.Database.DataSource.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var sql = $"INSERT INTO revocations (kind, subject) VALUES ('tokens', '{late}')";
        await using (var insert = new NpgsqlCommand(sql, connection, transaction))
            await insert.ExecuteNonQueryAsync();
        await RevokeAsync(early);
        await UntilAsync(() => Task.FromResult(EndedAt(early) is not null));

        await transaction.CommitAsync();

        await UntilAsync(() => Task.FromResult(EndedAt(late) is not null));
    }

    [Test]
    public async Task A_revocation_restored_from_another_server_is_not_read_over_and_over()
    {
        var user = NewUser();
        await api.Database.RowsAsync(
            $"INSERT INTO revocations (kind, subject, xact) VALUES ('tokens', '{user}', '9000000000000')", _ => 0);
        await RevokeAsync("the-next");
        await UntilAsync(() => Task.FromResult(EndedAt("the-next") is not null));

        Assert.That(EndedAt(user), Is.Null);
        Assert.That(await MeAsync(other, Token(user, 1)), Is.EqualTo(Refused));
    }

    [Test]
    public async Task Logging_out_ends_the_access_token_of_that_login_alone()
    {
        var name = $"fox_{Guid.NewGuid():N}"[..20];
        var (one, two) = (await LoginAsync("", name), await LoginAsync("/login", name));
        Assert.That((await MeAsync(other, Access(one)), await MeAsync(api, Access(two))), Is.EqualTo((Good, Good)));

        await AccountAsync("/logout", new { refreshToken = Refresh(one) });

        Assert.That((await MeAsync(api, Access(one)), await MeAsync(api, Access(two))), Is.EqualTo((Refused, Good)));
        await UntilAsync(async () => await MeAsync(other, Access(one)) == Refused);
    }

    [Test]
    public async Task A_refresh_token_that_is_used_again_ends_the_access_tokens_of_its_login()
    {
        var login = await LoginAsync("", $"owl_{Guid.NewGuid():N}"[..20]);
        var next = await JsonAsync(await AccountAsync("/refresh", new { refreshToken = Refresh(login) }));
        Assert.That(await MeAsync(api, Access(next)), Is.EqualTo(Good));

        await AccountAsync("/refresh", new { refreshToken = Refresh(login) });

        Assert.That((await MeAsync(api, Access(login)), await MeAsync(api, Access(next))), Is.EqualTo((Refused, Refused)));
    }

    [Test]
    public async Task Changing_the_password_ends_the_access_tokens_of_before()
    {
        var name = $"elk_{Guid.NewGuid():N}"[..20];
        var (one, two) = (await LoginAsync("", name), await LoginAsync("/login", name));

        using var changed = await api.ClientWithToken(Access(one)).PostAsJsonAsync(
            "/v1/accounts/password", new { currentPassword = Password, newPassword = "two owls in one old oak" });

        var next = await JsonAsync(changed);
        string[] outcomes = [await MeAsync(api, Access(one)), await MeAsync(api, Access(two)), await MeAsync(api, Access(next))];
        Assert.That(outcomes, Is.EqualTo(new[] { Refused, Refused, Good }));
    }

    [Test]
    public async Task Revoking_all_tokens_of_a_user_ends_the_logins_too_and_lets_a_new_one_in_at_once()
    {
        var name = $"bee_{Guid.NewGuid():N}"[..20];
        var login = await LoginAsync("", name);

        await RevokeAsync(login.GetProperty("user").GetProperty("userId").GetString()!);

        Assert.That(await MeAsync(api, Access(login)), Is.EqualTo(Refused));
        Assert.That(await AccountAsync("/refresh", new { refreshToken = Refresh(login) }).OutcomeAsync(), Is.EqualTo(Refused));
        Assert.That(await MeAsync(api, Access(await LoginAsync("/login", name))), Is.EqualTo(Good));
    }

    static string NewUser() => $"user-{Guid.NewGuid():N}";

    static string Token(string user, double? issuedAt) => ApiHost.Token(user, null, ("iat", issuedAt));

    static (string User, string Token) TokenOfBefore()
    {
        var user = NewUser();
        return (user, Token(user, DateTimeOffset.UtcNow.AddMinutes(-5).ToUnixTimeSeconds()));
    }

    static Task<string> MeAsync(ApiHost host, string token) => host.ClientWithToken(token).GetAsync("/v1/me").OutcomeAsync();

    static string IdOf(string key) => key.Split('_')[1];

    static string Access(JsonElement login) => login.GetProperty("accessToken").GetString()!;

    static string Refresh(JsonElement login) => login.GetProperty("refreshToken").GetString()!;

    static Task<JsonElement> JsonAsync(HttpResponseMessage answer) => answer.Content.ReadFromJsonAsync<JsonElement>();

    Instant? EndedAt(string user) => other.Services.GetRequiredService<RevocationList>().TokensEndedAt(new UserId(user));

    Task<string> RevokeAsync(string user) =>
        api.ServiceClient().PostAsync($"/v1/users/{user}/tokens/revoke", null).OutcomeAsync();

    async Task StoreAsync(string user, string at, string xact) => await api.Database.RowsAsync(
        $"INSERT INTO revocations (kind, subject, revoked_at, xact) VALUES ('tokens', '{user}', {at}, {xact})", _ => 0);

    async Task<string> KnownAsync()
    {
        var user = NewUser();
        await api.ServiceClient().PutAsJsonAsync($"/v1/users/{user}", new { });
        return user;
    }

    async Task<string> KeyAsync(params string[] scopes)
    {
        var made = await JsonAsync(await api.ServiceClient().PostAsJsonAsync("/v1/admin/keys", new { name = "test", scopes }));
        return made.GetProperty("key").GetString()!;
    }

    async Task<string> MintAsync(string user, string key)
    {
        var minted = await JsonAsync(await api.ServiceClient(key: key).PostAsJsonAsync($"/v1/users/{user}/tokens", new { }));
        return minted.GetProperty("token").GetString()!;
    }

    Task<HttpResponseMessage> AccountAsync(string path, object body) => api.AnonymousClient().PostAsJsonAsync($"/v1/accounts{path}", body);

    async Task<JsonElement> LoginAsync(string path, string username) =>
        await JsonAsync(await AccountAsync(path, new { username, password = Password }));

    static async Task UntilAsync(Func<Task<bool>> holds)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        while (!await holds())
            await timer.WaitForNextTickAsync(patience.Token);
    }
}
