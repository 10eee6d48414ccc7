using Messaging.Application.Search;
using Messaging.Domain.Common;

namespace Messaging.Application.Tests;

public sealed class SearchLaneTests : SliceFixture
{
    private static readonly Actor Ada = new(new UserId("ada"));
    private static readonly Actor Bob = new(new UserId("bob"));
    private static readonly Actor Eve = new(new UserId("eve"));

    // Where the rule is broken, what is waited for never comes.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Test]
    public async Task Searches_of_one_user_take_turns_and_those_of_others_do_not_wait_for_them()
    {
        await using var lane = new SearchLane();
        var first = new Running(Slices, lane, Ada);
        var second = new Running(Slices, lane, Ada);
        var other = new Running(Slices, lane, Bob);

        await other.Started;
        Assert.That((first.Started.IsCompleted, second.Started.IsCompleted), Is.EqualTo((true, false)));
        first.End();
        await second.Started;
        second.End();
        other.End();

        Assert.That(await Task.WhenAll(first.Done, second.Done, other.Done), Is.All.Zero);
    }

    [Test]
    public async Task Who_finds_no_place_is_told_when_to_come_again()
    {
        await using var lane = new SearchLane();
        Running[] all = [new(Slices, lane, Ada), new(Slices, lane, Bob), new(Slices, lane, Eve)];

        var problem = await ProblemAsync(() => all[2].Done);
        all[0].End();
        all[1].End();

        Assert.That((problem.Code, problem.RetryAfterSeconds, all[2].Started.IsCompleted), Is.EqualTo((ProblemCodes.Unavailable, 2, false)));
        Assert.That(await Task.WhenAll(all[0].Done, all[1].Done), Is.All.Zero);
    }

    [Test]
    public async Task A_search_that_takes_too_long_is_ended()
    {
        await using var lane = new SearchLane();

        var problem = await ProblemAsync(() => Slices.SqlAsync(session => lane.RunAsync(
            Ada, session, ct => session.QuerySingleAsync<string>("SELECT pg_sleep(600)::text", null, ct), CancellationToken.None)).WaitAsync(Patience));

        Assert.That((problem.Code, problem.RetryAfterSeconds), Is.EqualTo((ProblemCodes.Unavailable, 2)));
    }

    [Test]
    public async Task Who_gives_up_waiting_or_searching_leaves_the_lane_to_others()
    {
        await using var lane = new SearchLane();
        using var gone = new CancellationTokenSource();
        Running[] all = [new(Slices, lane, Ada, gone.Token), new(Slices, lane, Bob, gone.Token), new(Slices, lane, Ada, gone.Token), new(Slices, lane, Eve, gone.Token)];

        await gone.CancelAsync();
        foreach (var one in all)
            Assert.That(() => one.Done, Throws.InstanceOf<OperationCanceledException>());

        Running[] next = [new(Slices, lane, Ada), new(Slices, lane, Bob)];
        await Task.WhenAll(next.Select(one => one.Started));
        Array.ForEach(next, one => one.End());
        Assert.That(await Task.WhenAll(next.Select(one => one.Done)), Is.All.Zero);
    }

    /// <summary>A search that lasts until it is ended.</summary>
    private sealed class Running
    {
        private readonly TaskCompletionSource started = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly Task<int> done;
        private readonly TaskCompletionSource<int> end = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Running(Testing.Slices slices, SearchLane lane, Actor actor, CancellationToken ct = default) =>
            done = slices.SqlAsync(session => lane.RunAsync(
                actor,
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
