using Dapper;
using Messaging.Application.Tests.Events;
using Messaging.Application.Tests.Push;
using Messaging.Infrastructure.Database;
using Messaging.Infrastructure.Jobs;
using Messaging.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using NodaTime;
using Npgsql;

namespace Messaging.Application.Tests.Jobs;

public sealed class JobTests
{
    private const string OnceAYear = "0 0 1 1 *";

    private Slices slices = null!;
    private DirectDataSource database = null!;
    private int runs;

    [SetUp]
    public async Task StartAsync()
    {
        slices = await Slices.StartAsync();
        database = new DirectDataSource(NpgsqlDataSource.Create(slices.ConnectionString));
        runs = 0;
    }

    [TearDown]
    public async Task StopAsync()
    {
        await database.DisposeAsync();
        await slices.DisposeAsync();
    }

    [Test]
    public async Task Of_many_nodes_one_runs_a_job_that_is_due_and_none_again_before_it_is_due_once_more()
    {
        var job = Counting("counting");

        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Runner().RunIfDueAsync(job, CancellationToken.None)));
        await Runner().RunIfDueAsync(job, CancellationToken.None);

        Assert.That(runs, Is.EqualTo(1));
    }

    [Test]
    public async Task A_job_is_run_again_when_it_is_due_again()
    {
        var job = Counting("counting");
        await Runner().RunIfDueAsync(job, CancellationToken.None);
        await slices.ExecuteAsync("UPDATE leases SET expires_at = now() WHERE name = 'counting:next'");

        await Runner().RunIfDueAsync(job, CancellationToken.None);

        Assert.That(runs, Is.EqualTo(2));
    }

    [Test]
    public async Task While_a_job_runs_nobody_else_runs_it_not_even_when_asked_to()
    {
        var end = new TaskCompletionSource();
        var job = new Job("long", OnceAYear, _ => end.Task);
        var running = Runner().RunIfDueAsync(job, CancellationToken.None);
        await Eventually.HoldsAsync(
            () => slices.ScalarAsync<bool>("SELECT EXISTS (SELECT FROM leases WHERE name = 'long' AND expires_at > now())"), "it runs");

        var others = Task.WhenAll(Runner().RunIfDueAsync(job, CancellationToken.None), Runner().RunNowAsync(job, CancellationToken.None));

        Assert.That(await others.WaitAsync(TimeSpan.FromSeconds(30)), Is.EqualTo((bool[])[false, false]));
        end.SetResult();
        Assert.That(await running, Is.True);
    }

    [Test]
    public async Task A_job_that_another_node_took_over_is_broken_off()
    {
        var brokenOff = new TaskCompletionSource();
        var running = Runner().RunNowAsync(
            new Job("slow", OnceAYear, async ct =>
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                brokenOff.SetResult();
            }),
            CancellationToken.None);
        await Eventually.HoldsAsync(
            async () =>
            {
                await slices.ExecuteAsync("UPDATE leases SET holder = 'another', fencing = fencing + 1 WHERE name = 'slow'");
                return brokenOff.Task.IsCompleted;
            },
            "it ends");

        Assert.That(async () => await running, Throws.TypeOf<TimeoutException>());
    }

    [Test]
    public async Task A_node_that_lost_a_job_leaves_it_to_the_other_one_when_the_job_is_due_again()
    {
        var running = Runner().RunIfDueAsync(
            new Job("slow", OnceAYear, ct => Task.Delay(Timeout.InfiniteTimeSpan, ct)), CancellationToken.None);
        await Eventually.HoldsAsync(() => slices.ScalarAsync<bool>("SELECT EXISTS (SELECT FROM leases WHERE name = 'slow')"), "it runs");

        await slices.ExecuteAsync(
            """
            UPDATE leases SET holder = 'another', fencing = fencing + 1 WHERE name = 'slow';
            INSERT INTO leases (name, holder, fencing, expires_at) VALUES ('slow:next', 'schedule', 1, now() + interval '1 year')
            """);
        await running;

        Assert.That(
            await slices.ScalarAsync<bool>("SELECT expires_at > now() + interval '1 day' FROM leases WHERE name = 'slow:next'"), Is.True);
    }

    [Test]
    public async Task Nobody_takes_over_a_job_whose_node_is_saying_when_it_is_due_again()
    {
        await slices.ExecuteAsync("INSERT INTO leases (name, holder, fencing, expires_at) VALUES ('some:next', 'schedule', 1, now())");
        await using var other = await database.Value.OpenConnectionAsync();
        await using var transaction = await other.BeginTransactionAsync();
        await other.ExecuteAsync("SELECT FROM leases WHERE name = 'some:next' FOR UPDATE", transaction: transaction);

        var running = Runner().RunIfDueAsync(
            new Job("some", OnceAYear, _ => throw new InvalidOperationException("This one fails.")), CancellationToken.None);
        await slices.UntilAsync(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')");

        Assert.That(
            await slices.ScalarAsync<long>(
                "SELECT count(*) FROM (SELECT FROM leases WHERE name = 'some' FOR UPDATE SKIP LOCKED) AS free"),
            Is.Zero);
        await transaction.RollbackAsync();
        await running;
    }

    [Test]
    public async Task A_job_that_is_done_is_due_again_at_the_time_of_its_schedule()
    {
        await Runner().RunIfDueAsync(Counting("counting"), CancellationToken.None);

        var due = await slices.ScalarAsync<DateTime>("SELECT expires_at AT TIME ZONE 'UTC' FROM leases WHERE name = 'counting:next'");
        Assert.That((due.Month, due.Day, due.TimeOfDay), Is.EqualTo((1, 1, TimeSpan.Zero)));
    }

    [Test]
    public async Task A_job_that_fails_is_tried_again_in_a_minute_and_keeps_no_other_from_running()
    {
        var failing = new Job("failing", OnceAYear, _ => throw new InvalidOperationException("This one fails."));
        var clock = new MovingTime();
        var runner = new JobRunner(database, clock, NullLogger<JobRunner>.Instance);
        var worker = new JobWorker([failing, Counting("counting")], runner, NullLogger<JobWorker>.Instance);

        await using (await Running.StartAsync(worker))
            await Eventually.HoldsAsync(
                async () => Volatile.Read(ref runs) == 1
                    && await slices.ScalarAsync<bool>("SELECT count(*) = 2 FROM leases WHERE name LIKE '%:next'"),
                "both were run");

        Assert.That(
            await slices.ScalarAsync<Instant>("SELECT expires_at FROM leases WHERE name = 'failing:next'"),
            Is.EqualTo(clock.GetCurrentInstant() + Duration.FromMinutes(1)));
    }

    [TestCase("* * * * *", true)]
    [TestCase("0 3 * * MON", true)]
    [TestCase("hourly", false)]
    [TestCase("0 0 30 2 *", false)]
    [TestCase("61 * * * *", false)]
    public void A_schedule_is_a_cron_expression_that_some_time_fits(string schedule, bool isGood) =>
        Assert.That(
            new JobSettings { Files = schedule }.Errors(),
            isGood ? Is.Empty : Is.EqualTo((string[])
                ["Files: a cron expression of five fields that some time fits is expected, such as 0 * * * *."]));

    private Job Counting(string name) => new(name, OnceAYear, _ =>
    {
        Interlocked.Increment(ref runs);
        return Task.CompletedTask;
    });

    private JobRunner Runner() => new(database, SystemClock.Instance, NullLogger<JobRunner>.Instance);
}
