using Messaging.Application.Search;
using Messaging.Domain.Common;
using Messaging.Testing;

namespace Messaging.Application.Tests.Search;

public sealed class SearchLaneTests : SliceFixture
{
    private static readonly Actor Ada = new(new UserId("ada"));
    private static readonly Actor Bob = new(new UserId("bob"));
    private static readonly Actor Eve = new(new UserId("eve"));

    // Where the rule is broken, what is waited for never comes.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private const string Hostile = "SELECT pg_sleep(600)::text";

    private readonly ManualTime time = new();

    [Test]
    public async Task Searches_take_turns_and_somebody_elses_comes_before_a_second_one()
    {
        await using var lane = new SearchLane(time);
        var first = new Running(Slices, lane, Ada);
        await first.Started;
        var second = new Running(Slices, lane, Ada);
        var other = new Running(Slices, lane, Bob);

        first.End();
        await other.Started;
        Assert.That(second.Started.IsCompleted, Is.False);
        other.End();
        await second.Started;
        second.End();

        Assert.That(await Task.WhenAll(first.Done, second.Done, other.Done), Is.All.Zero);
    }

    [Test]
    public async Task Who_finds_no_place_is_told_when_to_come_again()
    {
        await using var lane = new SearchLane(time);
        var first = new Running(Slices, lane, Ada);
        await first.Started;
        var late = new Running(Slices, lane, Bob);

        var problem = await ProblemAsync(() => late.Done);
        first.End();

        Assert.That((problem.Code, problem.RetryAfterSeconds, late.Started.IsCompleted), Is.EqualTo((ProblemCodes.Unavailable, 2, false)));
        Assert.That(await first.Done, Is.Zero);
    }

    [Test]
    public async Task A_search_that_takes_too_long_is_ended()
    {
        await using var lane = new SearchLane(time);

        var problem = await ProblemAsync(() => SearchAsync(lane, Ada, Hostile));

        Assert.That((problem.Code, problem.RetryAfterSeconds), Is.EqualTo((ProblemCodes.Unavailable, 10)));
    }

    [Test]
    public async Task Behind_six_whose_searches_run_out_of_time_a_strangers_comes_to_its_turn()
    {
        await using var lane = new SearchLane(time);
        var hostile = Enumerable.Range(0, 6)
            .Select(i => ProblemAsync(() => SearchAsync(lane, new Actor(new UserId($"mallory-{i}")), Hostile))).ToList();

        Assert.That(await SearchAsync(lane, Eve, "SELECT 'found'"), Is.EqualTo("found"));
        Assert.That((await Task.WhenAll(hostile)).Select(problem => problem.RetryAfterSeconds), Is.All.EqualTo(10));
    }

    [Test]
    public async Task Whose_search_ran_out_of_time_waits_before_the_next_and_nobody_else_does()
    {
        await using var lane = new SearchLane(time);
        await ProblemAsync(() => SearchAsync(lane, Ada, Hostile));

        time.Advance(TimeSpan.FromSeconds(3.5));
        var problem = await ProblemAsync(() => SearchAsync(lane, Ada, "SELECT 'found'"));
        Assert.That((problem.Code, problem.RetryAfterSeconds), Is.EqualTo((ProblemCodes.Unavailable, 7)));
        Assert.That(await SearchAsync(lane, Bob, "SELECT 'found'"), Is.EqualTo("found"));

        time.Advance(TimeSpan.FromSeconds(6.5));
        Assert.That(await SearchAsync(lane, Ada, "SELECT 'found'"), Is.EqualTo("found"));
    }

    [Test]
    public async Task A_search_that_waited_for_one_of_the_same_user_that_timed_out_is_not_run()
    {
        await using var lane = new SearchLane(time);
        var first = ProblemAsync(() => SearchAsync(lane, Ada, Hostile));
        var second = new Running(Slices, lane, Ada);

        await first;

        Assert.That((await ProblemAsync(() => second.Done)).RetryAfterSeconds, Is.EqualTo(10));
        Assert.That(second.Started.IsCompleted, Is.False);
    }

    [TestCase(0.9, null)]
    [TestCase(1, 10)]
    public async Task Who_gives_a_search_up_late_waits_as_if_it_had_run_out_of_time(double seconds, int? wait)
    {
        await using var lane = new SearchLane(time);
        using var gone = new CancellationTokenSource();
        var search = new Running(Slices, lane, Ada, gone.Token);
        await search.Started;

        time.Advance(TimeSpan.FromSeconds(seconds));
        await gone.CancelAsync();
        Assert.That(() => search.Done, Throws.InstanceOf<OperationCanceledException>());

        if (wait is null)
            Assert.That(await SearchAsync(lane, Ada, "SELECT 'found'"), Is.EqualTo("found"));
        else
            Assert.That((await ProblemAsync(() => SearchAsync(lane, Ada, Hostile))).RetryAfterSeconds, Is.EqualTo(wait));
    }

    [Test]
    public async Task The_service_waits_by_its_key()
    {
        await using var lane = new SearchLane(time);
        await ProblemAsync(() => SearchAsync(lane, Actor.Service, Hostile, "one"));

        Assert.That((await ProblemAsync(() => SearchAsync(lane, Actor.Service, Hostile, "one"))).RetryAfterSeconds, Is.EqualTo(10));
        Assert.That(await SearchAsync(lane, Actor.Service, "SELECT 'found'", "other"), Is.EqualTo("found"));
        Assert.That(await SearchAsync(lane, Ada, "SELECT 'found'", "one"), Is.EqualTo("found"));
    }

    [Test]
    public async Task Who_gives_up_waiting_or_searching_leaves_the_lane_to_others()
    {
        await using var lane = new SearchLane(time);
        using var gone = new CancellationTokenSource();
        Running[] all = [new(Slices, lane, Ada, gone.Token), new(Slices, lane, Ada, gone.Token), new(Slices, lane, Bob, gone.Token)];
        await all[0].Started;

        await gone.CancelAsync();
        foreach (var one in all)
            Assert.That(() => one.Done, Throws.InstanceOf<OperationCanceledException>());

        foreach (var actor in new[] { Ada, Bob })
        {
            var next = new Running(Slices, lane, actor);
            await next.Started;
            next.End();
            Assert.That(await next.Done, Is.Zero);
        }
    }

    private Task<string> SearchAsync(SearchLane lane, Actor actor, string sql, string? key = null) =>
        Slices.SqlAsync(session => lane.RunAsync(
        actor, key, session, ct => session.QuerySingleAsync<string>(sql, null, ct), CancellationToken.None)).WaitAsync(Patience);

    /// <summary>A search that lasts until it is ended.</summary>
    private sealed class Running
    {
        private readonly TaskCompletionSource started = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly Task<int> done;
        private readonly TaskCompletionSource<int> end = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Running(Testing.Slices slices, SearchLane lane, Actor actor, CancellationToken ct = default) =>
            done = slices.SqlAsync(session => lane.RunAsync(
                actor,
                null,
                session,
                _ =>
                {
                    started.SetResult();
                    return end.Task.WaitAsync(ct);
                },
                ct));

        public Task Started => started.Task.WaitAsync(Patience);

        public Task<int> Done => done.WaitAsync(Patience);

        public void End() => end.SetResult(0);
    }
}
