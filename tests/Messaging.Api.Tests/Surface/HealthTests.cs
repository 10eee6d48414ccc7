using System.Net;
using System.Net.Sockets;
using Messaging.Api.Health;
using Messaging.Api.Tests.Auth;
using Messaging.Infrastructure.Database;
using Messaging.Migrations;
using Messaging.Testing;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Messaging.Api.Tests.Surface;

public sealed class HealthTests
{
    ApiHost api = null!;

    HttpClient Client => api.AnonymousClient();

    [SetUp]
    public async Task StartAsync() => api = await ApiHost.StartAsync();

    [TearDown]
    public async Task StopAsync() => await api.DisposeAsync();

    [Test]
    public async Task A_running_service_is_live_and_ready()
    {
        using var live = await Client.GetAsync("/health/live");
        using var ready = await Client.GetAsync("/health/ready");
        await Assert.MultipleAsync(async () =>
        {
            Assert.That((await live.JsonAsync()).ToString(), Is.EqualTo("""{"status":"live"}"""));
            Assert.That((await ready.JsonAsync()).ToString(),
                Is.EqualTo("""{"status":"ready","database":"up","schema":"current","images":"available","bus":"up"}"""));
        });
    }

    [Test]
    public async Task Without_its_database_it_is_live_but_not_ready()
    {
        await api.Database.DisposeAsync();
        Assert.That(await StatesAsync(), Is.EqualTo("200, 503 unavailable"));
    }

    [Test]
    public async Task On_a_newer_schema_beside_which_it_runs_it_goes_on_serving()
    {
        await new Migrator(api.Database.ConnectionString, NextRelease.With(NextRelease.Compatible)).UpAsync();
        using var ready = await Client.GetAsync("/health/ready");
        Assert.That((await ready.JsonAsync()).GetProperty("schema").GetString(), Is.EqualTo("newer"));
    }

    [Test]
    public async Task On_a_newer_schema_that_breaks_it_it_is_not_ready_and_says_by_what()
    {
        await new Migrator(api.Database.ConnectionString, NextRelease.With(NextRelease.Breaking)).UpAsync();
        using var ready = await Client.GetAsync("/health/ready");
        Assert.That(ready.StatusCode, Is.EqualTo(HttpStatusCode.ServiceUnavailable));
        Assert.That((await ready.JsonAsync()).GetProperty("detail").GetString(),
            Does.Contain("999912310001 next_release, which breaks this release"));
    }

    [Test]
    public async Task On_an_older_schema_it_is_not_ready()
    {
        await ExecuteAsync("""DELETE FROM "VersionInfo" """);
        Assert.That(await StatesAsync(), Is.EqualTo("200, 503 unavailable"));
    }

    [Test]
    public async Task On_its_way_down_it_is_not_ready_but_still_serves()
    {
        api.Services.GetRequiredService<Draining>().Begin();
        await Assert.MultipleAsync(async () =>
        {
            Assert.That(await StatesAsync(), Is.EqualTo("200, 503 unavailable"));
            Assert.That(await api.ClientFor("anna").GetAsync("/v1/unread").OutcomeAsync(), Is.EqualTo("200"));
        });
    }

    [Test]
    public async Task The_readiness_found_is_kept_for_a_second()
    {
        var clock = new ManualTime();
        await using var own = await ApiHost.StartAsync(clock);
        var client = own.AnonymousClient();
        await client.GetAsync("/health/ready");
        await own.Database.RowsAsync("""DELETE FROM "VersionInfo" """, _ => 0);

        Assert.That(await client.GetAsync("/health/ready").OutcomeAsync(), Is.EqualTo("200"));
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.That(await client.GetAsync("/health/ready").OutcomeAsync(), Is.EqualTo("503 unavailable"));
    }

    [Test]
    public async Task Simultaneous_probes_share_one_question()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        await using var database = NpgsqlDataSource.Create(
            $"Host=127.0.0.1;Port={((IPEndPoint)silent.LocalEndpoint).Port};Username=nobody");
        var health = new DatabaseHealth(database, TimeProvider.System);

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => health.CheckAsync(CancellationToken.None)));

        Assert.That(answers, Has.All.Null);
        var questions = 0;
        for (; silent.Pending(); questions++)
            (await silent.AcceptSocketAsync()).Dispose();
        Assert.That(questions, Is.EqualTo(1));
    }

    async Task<string> StatesAsync() =>
        $"{await Client.GetAsync("/health/live").OutcomeAsync()}, {await Client.GetAsync("/health/ready").OutcomeAsync()}";

    async Task ExecuteAsync(string sql)
    {
        await using var command = api.Database.DataSource.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
