using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using Messaging.Postgres;
using Npgsql;

namespace Messaging.EndToEnd.Tests;

/// <summary>What can be seen of one running start.sh without changing it.</summary>
public sealed class StartTests
{
    static readonly string[] Members =
        ["url", "console", "serviceKey", "hs256Secret", "issuer", "audience", "users", "connectionString", "dataFolder"];

    TemporaryFolder folder = null!;
    StartedMessaging started = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        folder = new();
        started = await StartedMessaging.StartAsync(folder.In("data"));
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        if (started is not null)
        {
            await started.StopAsync();
            started.Dispose();
        }

        folder.Dispose();
    }

    [Test]
    public void Json_is_one_object_on_one_line_and_nothing_else()
    {
        Assert.That(started.Output.Split('\n'), Has.Length.EqualTo(1));
        Assert.That(started.Announced.EnumerateObject().Select(member => member.Name), Is.EqualTo(Members));
    }

    [Test]
    public void Folder_told_is_the_one_asked_for() =>
        Assert.That(started.Announced.GetProperty("dataFolder").GetString(), Is.EqualTo(folder.In("data")));

    [Test]
    public async Task Service_is_ready_at_the_address_told()
    {
        using var client = Client();

        Assert.That((await client.GetAsync(new Uri("health/ready", UriKind.Relative))).StatusCode, Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task Demo_tokens_open_the_demo_conversations([Values("ada", "grace", "linus")] string userId)
    {
        var user = started.Announced.GetProperty("users").EnumerateArray().Single(user => user.GetProperty("userId").GetString() == userId);
        using var client = Client();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", user.GetProperty("token").GetString());

        var inbox = await GetAsync(client, "v1/conversations");

        Assert.That(inbox.GetProperty("items").GetArrayLength(), Is.EqualTo(userId == "linus" ? 1 : 2));
        Assert.That(inbox.GetProperty("items")[0].GetProperty("lastSeq").GetInt64(), Is.Positive);
    }

    [Test]
    public async Task Service_key_reads_the_demo_users()
    {
        using var client = Client();
        client.DefaultRequestHeaders.Add("X-Api-Key", started.Announced.GetProperty("serviceKey").GetString());

        var users = await GetAsync(client, "v1/users?ids=ada,grace,linus");

        Assert.That(
            users.GetProperty("items").EnumerateArray().Select(user => user.GetProperty("displayName").GetString()),
            Is.EquivalentTo((string[])["Ada Lovelace", "Grace Hopper", "Linus Torvalds"]));
    }

    [Test]
    public async Task Connection_string_opens_the_database_behind_the_service()
    {
        await using var connection = new NpgsqlConnection(started.Announced.GetProperty("connectionString").GetString() + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("""SELECT count(*) FROM "VersionInfo" """, connection);

        Assert.That(await command.ExecuteScalarAsync(), Is.Positive);
    }

    [Test]
    public void Secrets_are_for_their_owner_only() =>
        Assert.That(
            File.GetUnixFileMode(Path.Combine(folder.In("data"), "secrets.json")),
            Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));

    [Test]
    public async Task Second_start_on_the_same_folder_says_where_the_first_one_runs()
    {
        using var second = StartedMessaging.Launch(folder.In("data"));

        Assert.That(await second.ExitAsync(), Is.EqualTo(1));
        Assert.That(second.Output, Is.Empty);
        Assert.That(second.Errors, Does.Contain($"already runs at {started.Announced.GetProperty("url").GetString()} "));
        await Service_is_ready_at_the_address_told();
    }

    [Test]
    public async Task Start_on_another_folder_runs_beside_it()
    {
        using var other = await StartedMessaging.StartAsync(folder.In("other"));

        Assert.That(other.Announced.GetProperty("url").GetString(), Is.Not.EqualTo(started.Announced.GetProperty("url").GetString()));
        Assert.That(
            other.Announced.GetProperty("serviceKey").GetString(), Is.Not.EqualTo(started.Announced.GetProperty("serviceKey").GetString()));
        Assert.That(await other.StopAsync(), Is.Zero, other.Errors);
        await Service_is_ready_at_the_address_told();
    }

    [Test]
    public async Task Address_in_use_is_named_before_anything_is_started()
    {
        var url = started.Announced.GetProperty("url").GetString()!;

        using var other = StartedMessaging.Launch(folder.In("no room"), ("ASPNETCORE_URLS", url));

        Assert.That(await other.ExitAsync(), Is.EqualTo(1));
        Assert.That(other.Errors, Does.Contain($"{url} is in use"));
        Assert.That(Directory.Exists(Path.Combine(folder.In("no room"), "postgres")), Is.False);
    }

    HttpClient Client() => new() { BaseAddress = new Uri(started.Announced.GetProperty("url").GetString() + "/") };

    static async Task<JsonElement> GetAsync(HttpClient client, string path)
    {
        var answer = await client.GetAsync(new Uri(path, UriKind.Relative));
        var text = await answer.Content.ReadAsStringAsync();
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK), text);
        return JsonElement.Parse(text);
    }
}

/// <summary>How a start.sh ends, and what the next one makes of it.</summary>
[Category("Fault")]
public sealed class StartEndTests
{
    TemporaryFolder folder = null!;

    [SetUp]
    public void MakeFolder() => folder = new();

    [TearDown]
    public void RemoveFolder() => folder.Dispose();

    [Test]
    public async Task Terminated_start_ends_with_0_and_leaves_no_process()
    {
        using var started = await StartedMessaging.StartAsync(folder.In("data"));

        Assert.That(await started.StopAsync(), Is.Zero, started.Errors);

        Assert.That(started.Behind, Has.Count.EqualTo(2));
        Assert.That(started.Behind.Where(process => process.IsAlive), Is.Empty);
    }

    [Test]
    public async Task Next_start_is_up_in_5_seconds_with_the_same_secrets_and_users()
    {
        string serviceKey;
        using (var first = await StartedMessaging.StartAsync(folder.In("data")))
        {
            serviceKey = first.Announced.GetProperty("serviceKey").GetString()!;
            await first.StopAsync();
        }

        var watch = Stopwatch.StartNew();
        using var second = await StartedMessaging.StartAsync(folder.In("data"));
        watch.Stop();

        Assert.That(second.Announced.GetProperty("serviceKey").GetString(), Is.EqualTo(serviceKey));
        Assert.That(second.Announced.GetProperty("users").GetArrayLength(), Is.EqualTo(3));
        // The promise is for a machine that does nothing else; a test run has other things going.
        Assert.That(watch.Elapsed, Is.LessThan(TimeSpan.FromSeconds(15)));
        Assert.That(await second.StopAsync(), Is.Zero, second.Errors);
    }

    [Test]
    public async Task Start_after_a_killed_launcher_replaces_its_service_and_keeps_its_database()
    {
        using var killed = await StartedMessaging.StartAsync(folder.In("data"));
        await killed.KillAsync();
        Assert.That(killed.Behind.All(process => process.IsAlive), Is.True);

        using var next = await StartedMessaging.StartAsync(folder.In("data"));

        Assert.That(killed.Behind.Select(process => process.IsAlive), Is.EqualTo((bool[])[false, true]));
        Assert.That(next.Behind[1], Is.EqualTo(killed.Behind[1]));
        Assert.That(await next.StopAsync(), Is.Zero, next.Errors);
        Assert.That(killed.Behind.Concat(next.Behind).Where(process => process.IsAlive), Is.Empty);
    }

    [Test]
    public async Task Start_after_everything_was_killed_comes_up()
    {
        using var killed = await StartedMessaging.StartAsync(folder.In("data"));
        await killed.KillAsync();
        foreach (var process in killed.Behind)
            await ChildProcess.KillAsync(process);

        using var next = await StartedMessaging.StartAsync(folder.In("data"));

        Assert.That(await next.StopAsync(), Is.Zero, next.Errors);
    }

    [Test]
    public async Task Service_that_dies_by_itself_ends_the_start_with_1_and_its_log()
    {
        using var started = await StartedMessaging.StartAsync(folder.In("data"));
        await ChildProcess.KillAsync(started.Behind[0]);

        Assert.That(await started.ExitAsync(), Is.EqualTo(1));
        Assert.That(started.Errors, Does.Contain("ended by itself").And.Contain("service.log"));
        Assert.That(started.Behind.Where(process => process.IsAlive), Is.Empty);
    }

    [Test]
    public async Task Service_that_refuses_its_settings_ends_the_start_with_1_and_its_reason()
    {
        using var refused = StartedMessaging.Launch(folder.In("data"), ("Messaging__Auth__Hs256Secret", "short"));

        Assert.That(await refused.ExitAsync(), Is.EqualTo(1));
        Assert.That(refused.Errors, Does.Contain("Hs256Secret"));
        Assert.That(refused.Output, Is.Empty);
    }

    [TestCase("Messaging__Policies__DirectMessages", "requests")]
    [TestCase("Messaging__RateLimits__RequestsPerMinute", "1")]
    public async Task Settings_that_refuse_the_demo_leave_it_out_and_the_service_up(string name, string value)
    {
        using var started = await StartedMessaging.StartAsync(folder.In("data"), (name, value));

        Assert.That(started.Errors, Does.Contain("The demo, or the rest of it, is left out: "));
        using var client = new HttpClient { BaseAddress = new Uri(started.Announced.GetProperty("url").GetString() + "/") };
        Assert.That((await client.GetAsync(new Uri("health/ready", UriKind.Relative))).StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(await started.StopAsync(), Is.Zero, started.Errors);
    }

    [Test]
    public async Task Given_database_is_used_and_no_other_started()
    {
        await using var server = await PrivatePostgres.StartAsync(
            PrivatePostgresOptions.ThrowAway with { ThrowAwayParent = folder.Path, Durable = true }, CancellationToken.None);

        using var started = await StartedMessaging.StartAsync(folder.In("data"), ("ConnectionStrings__Messaging", server.ConnectionString));

        Assert.That(started.Announced.GetProperty("connectionString").GetString(), Is.EqualTo(server.ConnectionString));
        Assert.That(Directory.Exists(Path.Combine(folder.In("data"), "postgres")), Is.False);
        Assert.That(await started.StopAsync(), Is.Zero, started.Errors);
    }
}
