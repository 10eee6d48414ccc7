using System.Text.Json;
using Messaging.Api.Cli;
using Messaging.Application.Push;
using Messaging.Testing;

namespace Messaging.Api.Tests.Auth;

public sealed class VerbTests
{
    ApiHost api = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => api = await ApiHost.StartAsync();

    [OneTimeTearDown]
    public async Task StopAsync() => await api.DisposeAsync();

    [TestCase]
    [TestCase("serve")]
    [TestCase("--urls=http://localhost:1")]
    public async Task Without_a_verb_of_its_own_the_service_starts(params string[] args) =>
        Assert.That(await Verbs.TryRunAsync(args), Is.Null);

    [Test]
    public async Task A_created_key_is_printed_once_and_good_until_it_is_revoked()
    {
        var key = (await RunAsync("keys", "create", "--name", "shop", "--scopes", "users, events")).Output.Trim();
        Assert.That(await UsersAsync(key), Is.EqualTo("200"));

        var list = await RunAsync("keys", "list");
        var revoked = await RunAsync("keys", "revoke", key.Split('_')[1]);

        Assert.That(list.Output, Does.Contain("users,events  shop").And.Not.Contain(key.Split('_')[2]));
        Assert.That((revoked.ExitCode, await UsersAsync(key)), Is.EqualTo((0, "401 unauthenticated")));
    }

    [Test]
    public async Task A_script_reads_json()
    {
        var created = JsonDocument.Parse(
            (await RunAsync("keys", "create", "--name", "json", "--scopes", "admin", "--json")).Output).RootElement;
        var list = JsonDocument.Parse((await RunAsync("keys", "list", "--json")).Output).RootElement;

        Assert.That(created.EnumerateObject().Select(m => m.Name), Is.EqualTo(new[] { "id", "name", "scopes", "key" }));
        Assert.That(
            list.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("id").GetString()),
            Does.Contain(created.GetProperty("id").GetString()));
    }

    [Test]
    public async Task A_job_is_run_when_it_is_asked_for()
    {
        await api.Database.RowsAsync(
            "INSERT INTO login_failures (username, failures, ends_at) VALUES ('gone', 1, now() - interval '1 year')", _ => 0);

        var run = await RunAsync("jobs", "run", "cleanup");

        Assert.That((run.ExitCode, run.Output.Trim()), Is.EqualTo((0, "cleanup is done.")));
        Assert.That(await api.Database.RowsAsync("SELECT FROM login_failures WHERE username = 'gone'", _ => 0), Is.Empty);
    }

    [Test]
    public async Task A_job_that_does_not_exist_is_answered_with_those_that_do()
    {
        var run = await RunAsync("jobs", "run", "nothing");

        Assert.That(run.ExitCode, Is.EqualTo(2));
        Assert.That(run.Errors, Does.StartWith("There is no job 'nothing'; there are ").And.Contains("quiet-conversations"));
    }

    [Test]
    public async Task A_pair_of_keys_for_Web_Push_is_made_before_anything_is_configured()
    {
        await using var output = new StringWriter();
        await Verbs.TryRunAsync(["keys", "vapid"], output, TextWriter.Null, settings: null);
        var lines = output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        string Value(int line) => lines[line].Split('=')[1].Trim();

        Assert.That(
            lines.Select(line => line.Split('=')[0]),
            Is.EqualTo(new[] { "Messaging__Push__WebPush__PublicKey", "Messaging__Push__WebPush__PrivateKey" }));
        Assert.That(VapidKeys.TryRead(Value(1)), Is.EqualTo(new VapidKeys(Value(0), Value(1))));
    }

    [Test]
    public async Task A_minted_token_is_good()
    {
        await api.ClientFor("anna").GetAsync("/v1/me");

        var minted = await RunAsync("tokens", "mint", "anna", "--ttl", "60");

        Assert.That(await api.ClientWithToken(minted.Output.Trim()).GetAsync("/v1/me").OutcomeAsync(), Is.EqualTo("200"));
    }

    [TestCase("tokens", "mint", "nobody-knows")]
    [TestCase("keys", "revoke", "nobody")]
    public async Task A_verb_for_an_unknown_user_or_key_fails(params string[] args)
    {
        var (exitCode, output, errors) = await RunAsync(args);

        Assert.That((exitCode, output), Is.EqualTo((1, "")));
        Assert.That(errors, Is.Not.Empty);
    }

    [Test]
    public async Task A_key_can_be_revoked_although_other_settings_are_invalid()
    {
        var key = (await RunAsync("keys", "create", "--name", "leaked", "--scopes", "users")).Output.Trim();

        var (exitCode, _, errors) = await RunOnAsync(
            api.Database.ConnectionString, [KeyValuePair.Create("Messaging:Retention:FeedDays", (string?)"0")], "keys", "revoke",
            key.Split('_')[1]);

        Assert.That((exitCode, errors, await UsersAsync(key)), Is.EqualTo(((int?)0, "", "401 unauthenticated")));
    }

    [TestCase("dance")]
    [TestCase("keys")]
    [TestCase("keys", "create", "--name", "x")]
    [TestCase("keys", "create", "--name", "x", "--scopes", "everything")]
    [TestCase("keys", "create", "--name", "", "--scopes", "users")]
    [TestCase("keys", "create", "--name", "x", "--scopes")]
    [TestCase("keys", "list", "--colour", "red")]
    [TestCase("tokens", "mint", "no spaces")]
    [TestCase("tokens", "mint", "anna", "--ttl", "long")]
    [TestCase("tokens", "mint", "anna", "--ttl", "86401")]
    public async Task Wrong_use_is_told_apart(params string[] args) =>
        Assert.That((await RunAsync(args)).ExitCode, Is.EqualTo(2));

    [Test]
    public async Task A_database_that_is_away_fails_without_telling_its_password()
    {
        var (exitCode, _, errors) = await RunOnAsync(
            "Host=127.0.0.1;Port=1;Database=x;Username=x;Password=secret-password", "keys", "list");

        Assert.That(exitCode, Is.EqualTo(1));
        Assert.That(errors, Is.Not.Empty.And.Not.Contain("secret-password"));
    }

    [Test]
    public async Task A_configuration_that_cannot_be_used_is_said_line_by_line()
    {
        var (exitCode, _, errors) = await RunOnAsync(connection: "", "keys", "list");

        Assert.That(exitCode, Is.EqualTo(2));
        Assert.That(errors, Does.StartWith("ConnectionStrings__Messaging:"));
    }

    Task<string> UsersAsync(string key) => api.ServiceClient(key: key).GetAsync("/v1/users?ids=anna").OutcomeAsync();

    Task<(int? ExitCode, string Output, string Errors)> RunAsync(params string[] args) => RunOnAsync(api.Database.ConnectionString, args);

    static Task<(int? ExitCode, string Output, string Errors)> RunOnAsync(string connection, params string[] args) =>
        RunOnAsync(connection, [], args);

    static async Task<(int? ExitCode, string Output, string Errors)> RunOnAsync(
        string connection, IEnumerable<KeyValuePair<string, string?>> settings, params string[] args)
    {
        await using var output = new StringWriter();
        await using var errors = new StringWriter();
        var exitCode = await Verbs.TryRunAsync(args, output, errors, new Dictionary<string, string?>(settings)
        {
            ["ConnectionStrings:Messaging"] = connection,
            ["Messaging:Auth:Issuer"] = ApiHost.Issuer,
            ["Messaging:Auth:Audience"] = ApiHost.Audience,
            ["Messaging:Auth:Hs256Secret"] = ApiHost.Hs256Secret,
        });
        return (exitCode, output.ToString(), errors.ToString());
    }
}
