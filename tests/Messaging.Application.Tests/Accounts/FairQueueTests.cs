using System.Collections.Concurrent;
using Messaging.Domain.Common;
using Messaging.Infrastructure.Accounts;

namespace Messaging.Application.Tests.Accounts;

public sealed class FairQueueTests
{
    private readonly ManualResetEventSlim gate = new();
    private readonly ConcurrentQueue<string> done = new();

    [SetUp]
    public void Close()
    {
        gate.Reset();
        done.Clear();
    }

    [OneTimeTearDown]
    public void Dispose() => gate.Dispose();

    [Test]
    public async Task One_that_comes_after_a_crowd_from_elsewhere_waits_for_one_of_them()
    {
        var queue = new FairQueue(places: 1, mostPerOrigin: 200, TimeSpan.FromMinutes(1));
        var held = await HoldAsync(queue, "crowd");
        var crowd = Enumerable.Range(0, 150).Select(_ => WorkAsync(queue, "crowd")).ToArray();
        var other = WorkAsync(queue, "other");

        gate.Set();
        await Task.WhenAll([held, other, .. crowd]);

        Assert.That(done.ToList().IndexOf("other"), Is.EqualTo(1));
    }

    [Test]
    public async Task One_origin_has_a_bounded_queue_and_does_not_crowd_out_another()
    {
        var queue = new FairQueue(places: 1, mostPerOrigin: 3, TimeSpan.FromMinutes(1));
        var held = await HoldAsync(queue, "crowd");
        var crowd = Enumerable.Range(0, 10).Select(_ => CodeAsync(queue, "crowd")).ToArray();
        var other = CodeAsync(queue, "other");

        gate.Set();
        await held;

        Assert.That(await Task.WhenAll(crowd), Has.Exactly(2).Empty.And.Exactly(8).EqualTo("rate-limited"));
        Assert.That(await other, Is.Empty);
    }

    [Test]
    public async Task Who_goes_away_makes_room_for_the_next()
    {
        var queue = new FairQueue(places: 1, mostPerOrigin: 2, TimeSpan.FromMinutes(1));
        using var gone = new CancellationTokenSource();
        var held = await HoldAsync(queue, "crowd");
        var left = WorkAsync(queue, "crowd", gone.Token);
        await gone.CancelAsync();
        Assert.That(async () => await left, Throws.InstanceOf<OperationCanceledException>());

        var next = CodeAsync(queue, "crowd");
        gate.Set();

        Assert.That((await next, await held), Is.EqualTo(("", 0)));
    }

    [Test]
    public async Task Who_waited_in_vain_is_told_to_come_back_and_the_place_serves_on()
    {
        var queue = new FairQueue(places: 1, mostPerOrigin: 2, TimeSpan.FromMilliseconds(1));
        var held = await HoldAsync(queue, "crowd");

        Assert.That(await CodeAsync(queue, "other"), Is.EqualTo("unavailable"));
        gate.Set();
        await held;

        Assert.That(await CodeAsync(queue, "other"), Is.Empty);
    }

    [Test]
    public async Task Simultaneous_work_takes_no_more_than_the_places()
    {
        var queue = new FairQueue(places: 2, mostPerOrigin: 100, TimeSpan.FromMinutes(1));
        var (inside, most) = (0, 0);

        await Task.WhenAll(Enumerable.Range(0, 100).Select(i => Task.Run(() => queue.RunAsync(
            $"{i % 7}",
            () =>
            {
                var now = Interlocked.Increment(ref inside);
                InterlockedMax(ref most, now);
                Thread.Yield();
                return Interlocked.Decrement(ref inside);
            },
            CancellationToken.None))));

        Assert.That(most, Is.InRange(1, 2));
    }

    private async Task<Task<int>> HoldAsync(FairQueue queue, string origin)
    {
        var started = new TaskCompletionSource();
        var held = Task.Run(() => queue.RunAsync(
            origin,
            () =>
            {
                started.SetResult();
                gate.Wait();
                return 0;
            },
            CancellationToken.None));
        await started.Task;
        return held;
    }

    private Task<int> WorkAsync(FairQueue queue, string origin, CancellationToken ct = default) => queue.RunAsync(
        origin,
        () =>
        {
            done.Enqueue(origin);
            return 0;
        },
        ct);

    private async Task<string> CodeAsync(FairQueue queue, string origin)
    {
        try
        {
            await WorkAsync(queue, origin);
            return "";
        }
        catch (RuleException e)
        {
            return e.Problem.Code;
        }
    }

    private static void InterlockedMax(ref int most, int value)
    {
        for (var seen = Volatile.Read(ref most); seen < value; seen = Volatile.Read(ref most))
            Interlocked.CompareExchange(ref most, value, seen);
    }
}
