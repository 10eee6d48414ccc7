using Dapper;
using Messaging.Application.Events;
using Messaging.Infrastructure.Events;
using Messaging.Testing;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Messaging.Application.Tests.Events;

public sealed class FollowerTests
{
    private LogRecorder logs = null!;
    private ILoggerFactory loggers = null!;
    private FeedDatabase feed = null!;

    [SetUp]
    public async Task StartAsync()
    {
        feed = await FeedDatabase.StartAsync();
        loggers = LoggerFactory.Create(logging => logging.AddProvider(logs = new LogRecorder()));
        await feed.Slices.ExecuteAsync("CREATE TABLE noted (node text NOT NULL, position bigint NOT NULL)", new { });
        // An epoch begins with the first move.
        await feed.DrainAsync();
    }

    [TearDown]
    public async Task StopAsync()
    {
        await feed.DisposeAsync();
        loggers.Dispose();
    }

    [Test]
    public async Task A_new_follower_begins_at_the_end_of_the_feed()
    {
        await TellAsync(3);

        await using var node = await FollowAsync("one");
        await TellAsync(2);

        await NotedAsync(2);
    }

    [Test]
    public async Task Each_event_counts_once_when_another_node_goes_on()
    {
        await using (await FollowAsync("one"))
        {
            await TellAsync(3);
            await NotedAsync(3);
        }
        await TellAsync(2);
        await using var second = await FollowAsync("two");
        await TellAsync(2);

        await NotedAsync(7);
        Assert.That(await feed.Slices.ScalarAsync<long>("SELECT count(DISTINCT position) FROM noted"), Is.EqualTo(7));
        Assert.That(await feed.Slices.ScalarAsync<long>("SELECT count(*) FROM noted WHERE node = 'two'"), Is.EqualTo(4));
    }

    [Test]
    public async Task A_leader_whose_lease_passed_on_while_it_decided_writes_nothing()
    {
        var paused = new TaskCompletionSource();
        var decides = new TaskCompletionSource();
        await using var first = await FollowAsync("one", async _ =>
        {
            decides.TrySetResult();
            await paused.Task;
        });
        await TellAsync(1);
        await decides.Task;
        await feed.Slices.ExecuteAsync("UPDATE leases SET holder = '', fencing = fencing + 1, expires_at = now()", new { });
        await using var second = await FollowAsync("two");
        await NotedAsync(1);

        paused.SetResult();

        await TellAsync(1);
        await NotedAsync(2);
        Assert.That(await feed.Slices.ScalarAsync<long>("SELECT count(DISTINCT position) FROM noted"), Is.EqualTo(2));
    }

    [Test]
    public async Task Events_that_the_feed_keeps_no_longer_are_missed_aloud()
    {
        await using (await FollowAsync("one"))
        {
        }
        await TellAsync(2);
        await feed.Slices.ExecuteAsync("DELETE FROM feed; UPDATE feed_state SET expired_position = last_position", new { });
        await TellAsync(1);

        await using var second = await FollowAsync("two");

        await NotedAsync(1);
        Assert.That(string.Join(" ", logs.Lines), Does.Contain("missed the events from"));
    }

    [Test]
    public async Task A_database_that_was_restored_is_followed_from_where_it_was()
    {
        await using (await FollowAsync("one"))
        {
        }
        await TellAsync(2);
        await feed.Slices.ExecuteAsync("UPDATE feed_state SET epoch = epoch + 1", new { });

        await using var second = await FollowAsync("two");

        await NotedAsync(2);
        Assert.That(string.Join(" ", logs.Lines), Does.Contain("the database was restored"));
    }

    [Test]
    public async Task An_event_that_cannot_be_worked_on_is_passed_over_aloud_and_no_other()
    {
        await feed.Slices.ExecuteAsync("ALTER TABLE noted ADD CONSTRAINT ck_noted CHECK (position <> 3)", new { });
        await using var node = await FollowAsync("one", rows =>
            rows.Any(row => row.Position == 6) ? throw new FormatException("a-secret-text") : Task.CompletedTask);

        await TellAsync(9);

        await NotedAsync(7);
        Assert.That(logs.Lines.Where(line => line.StartsWith("Error", StringComparison.Ordinal)), Has.Exactly(2).Items);
        Assert.That(logs.Lines, Has.None.Contains("a-secret-text"));
    }

    [Test]
    public async Task A_database_that_is_away_or_broken_makes_nobody_pass_over_an_event()
    {
        var failures = new Queue<Exception>(
        [
            new NpgsqlException("away", new TimeoutException()),
            new PostgresException("broken", "ERROR", "ERROR", PostgresErrorCodes.IndexCorrupted),
        ]);
        await using var node = await FollowAsync("one", _ =>
            failures.TryDequeue(out var failure) ? throw failure : Task.CompletedTask);

        await TellAsync(1);

        await NotedAsync(1);
    }

    [Test]
    public async Task Too_much_at_once_is_done_in_parts()
    {
        await using var node = await FollowAsync("one", rows =>
            rows.Count > 3 ? throw new NpgsqlException("too slow", new TimeoutException()) : Task.CompletedTask, most: 2);

        await TellAsync(9);

        await NotedAsync(9);
        Assert.That(
            await feed.Slices.ScalarAsync<long>("SELECT max(n) FROM (SELECT count(*) AS n FROM noted GROUP BY xmin::text) AS transactions"),
            Is.EqualTo(2));
    }

    private async Task TellAsync(int events)
    {
        for (var i = 0; i < events; i++)
            await feed.AppendForAsync("ada");
        await feed.DrainAsync();
        feed.Moved.Announce((await feed.EndAsync()).Position);
    }

    private Task NotedAsync(int events) => Eventually.HoldsAsync(
        async () => await feed.CountAsync("noted") == events, $"{events} are noted");

    // Returns when it has its place.
    private async Task<Running> FollowAsync(string node, Func<IReadOnlyList<FeedRow>, Task>? deciding = null, int most = int.MaxValue)
    {
        var leases = await LeasesAsync();
        var running = await Running.StartAsync(new Notes(feed, node, deciding, most, loggers.CreateLogger<Notes>()));
        await Eventually.HoldsAsync(
            async () => await LeasesAsync() > leases && await feed.CountAsync("feed_followers") == 1, "it follows");
        return running;
    }

    private Task<long> LeasesAsync() => feed.Slices.ScalarAsync<long>(
        "SELECT coalesce(sum(fencing), 0)::bigint FROM leases WHERE name = 'follower:notes' AND expires_at > now()");

    /// <summary>Notes each event that it is told of.</summary>
    private sealed class Notes(FeedDatabase feed, string node, Func<IReadOnlyList<FeedRow>, Task>? deciding, int most, ILogger logger)
        : FeedFollower("notes", feed.Direct, feed.Moved, new EventRenderer([]), logger)
    {
        protected override async Task<Decision> DecideAsync(
            FeedTail tail, FeedCursor after, IReadOnlyList<FeedRow> rows, CancellationToken ct)
        {
            if (deciding is not null)
                await deciding(rows);
            var noted = rows.Take(most).Select(row => new { Node = node, row.Position }).ToList();
            return new Decision(
                noted.Count, connection => connection.ExecuteAsync("INSERT INTO noted VALUES (@Node, @Position)", noted));
        }
    }
}
