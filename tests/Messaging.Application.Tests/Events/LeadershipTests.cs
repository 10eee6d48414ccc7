using System.Diagnostics;
using Messaging.Infrastructure.Cluster;
using Messaging.Infrastructure.Database;
using Messaging.Infrastructure.Events;
using Messaging.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Messaging.Application.Tests.Events;

public sealed class LeadershipTests
{
    private FeedDatabase feed = null!;

    [SetUp]
    public async Task StartAsync() => feed = await FeedDatabase.StartAsync();

    [TearDown]
    public async Task StopAsync() => await feed.DisposeAsync();

    [Test]
    public async Task Of_two_sequencers_one_leads_and_the_other_follows_when_it_stops()
    {
        await using var first = await Running.StartAsync(feed.Sequencer());
        await Eventually.HoldsAsync(async () => await feed.CountAsync("leases") == 1, "somebody leads");
        var leader = await LeaseAsync();
        await using var second = await Running.StartAsync(feed.Sequencer());
        await feed.AppendForAsync("ada");
        await Eventually.HoldsAsync(async () => await feed.CountAsync("feed") == 1, "the leader moves");
        Assert.That(await LeaseAsync(), Is.EqualTo(leader));

        var stopped = Stopwatch.StartNew();
        await first.DisposeAsync();
        await feed.AppendForAsync("ada");
        await Eventually.HoldsAsync(async () => await feed.CountAsync("feed") == 2, "the other moves");

        Assert.That(stopped.Elapsed, Is.LessThan(TimeSpan.FromSeconds(4)));
        Assert.That((await LeaseAsync()).Fencing, Is.GreaterThan(leader.Fencing));
    }

    [Test]
    public async Task A_lease_is_taken_over_only_once_it_has_run_out()
    {
        var crashed = await feed.AcquireAsync("crashed", seconds: 1);

        Assert.That(await feed.AcquireAsync("next"), Is.Null);
        await Eventually.HoldsAsync(
            async () => await feed.AcquireAsync("next") is { } lease && lease.Fencing > crashed!.Fencing, "taken over");
    }

    [Test]
    public async Task A_lease_that_passed_on_cannot_be_renewed()
    {
        var paused = (await feed.AcquireAsync("paused", seconds: 0))!;
        await feed.AcquireAsync("next");
        await using var connection = await feed.Direct.Value.OpenConnectionAsync();

        Assert.That(await paused.RenewAsync(connection, TimeSpan.FromMinutes(1), CancellationToken.None), Is.False);
        Assert.That((await LeaseAsync()).Holder, Is.EqualTo("next"));
    }

    [Test]
    public async Task Neither_those_who_lead_nor_those_who_wait_to_lead_hold_a_connection()
    {
        await using var one = new DirectDataSource(NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(feed.Slices.ConnectionString) { MaxPoolSize = 1, Timeout = 5 }.ConnectionString));
        await feed.AcquireAsync("another", seconds: 60);
        using var end = new CancellationTokenSource();
        using var led = new CountdownEvent(2);
        var turns = Array.ConvertAll(["posts", "follower:test", Sequencer.LeaseName], name =>
            new Leadership(one, name, name, NullLogger.Instance).TakeTurnAsync(LeadAsync, end.Token));

        await Eventually.HoldsAsync(() => Task.FromResult(led.IsSet), "two lead, and the third waits");
        await using (await one.Value.OpenConnectionAsync())
            await end.CancelAsync();

        Assert.That(() => Task.WhenAll(turns), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(await feed.AcquireAsync("next", lease: "posts"), Is.Not.Null, "they were given back");

        async Task LeadAsync(Turn turn, CancellationToken ct)
        {
            led.Signal();
            await Task.Delay(Timeout.InfiniteTimeSpan, ct);
        }
    }

    [Test]
    public async Task The_epoch_changes_with_the_database_and_only_then()
    {
        await using var connection = await feed.Direct.Value.OpenConnectionAsync();
        await FeedEpoch.EnsureAsync(connection, CancellationToken.None);
        var epoch = (await feed.EndAsync()).Epoch;

        Assert.That(await FeedEpoch.EnsureAsync(connection, CancellationToken.None), Is.False);
        Assert.That((await feed.EndAsync()).Epoch, Is.EqualTo(epoch).And.Not.Zero);

        await RestoredElsewhereAsync(connection);
        Assert.That(await FeedEpoch.EnsureAsync(connection, CancellationToken.None), Is.True);
        Assert.That((await feed.EndAsync()).Epoch, Is.Not.EqualTo(epoch).And.Not.Zero);
    }

    // The table made anew with the rows that it had, as a dump does.
    private static async Task RestoredElsewhereAsync(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand(
            "ALTER TABLE feed_state RENAME TO former; CREATE TABLE feed_state (LIKE former INCLUDING ALL); INSERT INTO feed_state TABLE "
                + "former",
            connection);
        await command.ExecuteNonQueryAsync();
    }

    private async Task<(string Holder, long Fencing)> LeaseAsync()
    {
        await using var command = feed.Direct.Value.CreateCommand("SELECT holder, fencing FROM leases WHERE name = 'sequencer'");
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        return (reader.GetString(0), reader.GetInt64(1));
    }
}
