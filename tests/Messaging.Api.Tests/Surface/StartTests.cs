using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Messaging.Migrations;
using Messaging.Testing;
using Npgsql;

namespace Messaging.Api.Tests.Surface;

public sealed class StartTests
{
    [Test]
    public async Task Every_error_of_the_configuration_is_named_at_once()
    {
        var (code, output, errors) = await RunAsync(
            connectionString: "Host",
            ("Messaging__RateLimits__SendPerMinute", "s3cr3t"),
            ("Messaging__RateLimits__RequestsPerMinute", "0"),
            ("Messaging__RateLimits__Enabeld", "true"),
            ("Messaging__Cors__Origins__0", "https://app.example.com/path"),
            ("Messaging__Proxies__1", "10.0.0.1/8"),
            ("Messaging__Auth__Hs256Secret", "short"));
        Assert.Multiple(() =>
        {
            Assert.That(code, Is.EqualTo(1));
            Assert.That(errors, Does.Contain("ConnectionStrings__Messaging:"));
            Assert.That(errors, Does.Contain("Messaging__RateLimits__SendPerMinute: a whole number is expected."));
            Assert.That(errors, Does.Contain("Messaging__RateLimits__Enabeld: there is no such setting."));
            Assert.That(errors, Does.Contain("Messaging__Cors__Origins__0:"));
            Assert.That(errors, Does.Contain("Messaging__Proxies__1: a network such as 10.0.0.0/8"));
            Assert.That(errors, Does.Contain("Messaging__Auth__Hs256Secret:"));
            Assert.That(errors + output, Does.Not.Contain("s3cr3t").And.Not.Contain("   at "));
        });
    }

    [Test]
    public async Task Accounts_without_a_secret_to_sign_tokens_with_are_an_error_among_the_others()
    {
        var (code, _, errors) = await RunAsync(
            connectionString: "Host",
            ("Messaging__Auth__Hs256Secret", ""),
            ("Messaging__Accounts__Enabled", "true"),
            ("Messaging__Accounts__LockoutFailures", "0"));
        Assert.Multiple(() =>
        {
            Assert.That(code, Is.EqualTo(1));
            Assert.That(errors, Does.Contain("ConnectionStrings__Messaging:"));
            Assert.That(errors, Does.Contain("Messaging__Accounts__Enabled: Messaging__Auth__Hs256Secret is required"));
            Assert.That(errors, Does.Contain("Messaging__Accounts__LockoutFailures: 1 or more is expected."));
        });
    }

    [Test]
    public async Task Without_a_schema_it_says_which_command_to_run()
    {
        await using var empty = await TestDatabaseServer.CreateEmptyDatabaseAsync();
        var (code, _, errors) = await RunAsync(empty.ConnectionString);
        Assert.Multiple(() =>
        {
            Assert.That(code, Is.EqualTo(1));
            Assert.That(errors, Does.Contain("messaging-db up").And.Not.Contain("   at "));
        });
    }

    [Test]
    public async Task The_service_starts_and_sends_on_the_schema_of_the_next_release()
    {
        await using var database = await MigratedAsync();
        await new Migrator(database.ConnectionString, NextRelease.With(NextRelease.Compatible)).UpAsync();
        using var service = ServiceProcess.Start(database.ConnectionString);
        await service.UntilAsync("/health/ready", HttpStatusCode.OK);

        Assert.That(await service.SendAsync(), Is.EqualTo(HttpStatusCode.Created));
    }

    [Test]
    public async Task The_service_refuses_to_start_on_an_incompatible_schema_and_names_the_script()
    {
        await using var database = await MigratedAsync();
        await new Migrator(database.ConnectionString, NextRelease.With(NextRelease.Breaking)).UpAsync();
        var (code, _, errors) = await RunAsync(database.ConnectionString);
        Assert.That(code, Is.EqualTo(1));
        Assert.That(errors, Does.Contain("999912310001 next_release, which breaks this release").And.Not.Contain("   at "));
    }

    [Test]
    public async Task On_a_server_that_may_lose_what_was_acknowledged_it_does_not_start()
    {
        await using var database = await MigratedAsync();
        var unsafely = new NpgsqlConnectionStringBuilder(
            database.ConnectionString) { Options = "-c synchronous_commit=off" }.ConnectionString;
        var (code, _, errors) = await RunAsync(unsafely, ("Messaging__Database__AllowUnsafeDurability", "false"));
        Assert.Multiple(() =>
        {
            Assert.That(code, Is.EqualTo(1));
            Assert.That(errors, Does.Contain("synchronous_commit=off"));
        });
    }

    [Test]
    public async Task A_database_that_never_answers_ends_the_wait()
    {
        var (code, output, errors) = await RunAsync(
            "Host=127.0.0.1;Port=1;Database=messaging", ("Messaging__Database__StartTimeout", "00:00:01"));
        Assert.Multiple(() =>
        {
            Assert.That(code, Is.EqualTo(1));
            Assert.That(output, Does.Contain("does not answer yet"));
            Assert.That(errors, Does.Contain("PostgreSQL cannot be used"));
        });
    }

    [Test]
    public async Task A_term_signal_turns_readiness_off_then_ends_with_0()
    {
        await using var database = await MigratedAsync();
        using var service = ServiceProcess.Start(database.ConnectionString);
        await service.UntilAsync("/health/ready", HttpStatusCode.OK);

        var asked = Stopwatch.GetTimestamp();
        service.Terminate();
        await service.UntilAsync("/health/ready", HttpStatusCode.ServiceUnavailable);
        Assert.That(await service.StatusAsync("/health/live"), Is.EqualTo(HttpStatusCode.OK));
        var (code, _, _) = await service.EndAsync();
        Assert.Multiple(() =>
        {
            Assert.That(code, Is.Zero);
            Assert.That(Stopwatch.GetElapsedTime(asked), Is.LessThan(TimeSpan.FromSeconds(20)));
        });
    }

    [Test]
    public async Task Logs_are_json_with_trace_ids_and_hold_no_credential_at_any_level()
    {
        await using var database = await MigratedAsync();
        using var service = ServiceProcess.Start(
            database.ConnectionString, ("Logging__LogLevel__Microsoft.AspNetCore", "Trace"), ("Logging__LogLevel__Default", "Trace"));
        await service.UntilAsync("/health/ready", HttpStatusCode.OK);
        var token = ApiHost.Token("anna");
        service.Client.DefaultRequestHeaders.Add("Authorization", $"Bearer {token}");
        await service.StatusAsync("/v1/unread");
        await service.StatusAsync($"/hubs/v1?access_token={token}");
        await service.StatusAsync("/hubs/v1?access_token=0p4que-s3cr3t");
        service.Terminate();

        var (_, output, _) = await service.EndAsync();
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)
            .ToArray();
        Assert.Multiple(() =>
        {
            Assert.That(lines, Has.Some.Matches<JsonElement>(line => line.TryGetProperty("traceId", out _)));
            Assert.That(output,
                Does.Contain("/hubs/v1").And.Not.Contain(token).And.Not.Contain("0p4que-s3cr3t").And.Not.Contain(ApiHost.Hs256Secret));
        });
    }

    static async Task<(int ExitCode, string Output, string Errors)> RunAsync(
        string connectionString, params (string Name, string Value)[] environment)
    {
        using var service = ServiceProcess.Start(connectionString, environment);
        return await service.EndAsync();
    }

    static Task<TestDatabase> MigratedAsync() => TestDatabaseServer.CreateDatabaseAsync(Slices.MigrateAsync);
}
