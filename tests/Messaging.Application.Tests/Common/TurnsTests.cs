using Messaging.Application.Common;
using Messaging.Domain.Common;

namespace Messaging.Application.Tests.Common;

public sealed class TurnsTests
{
    private static readonly UserId Ada = new("ada");
    private static readonly UserId Bob = new("bob");

    // Where the rule is broken, what is waited for never comes.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Test]
    public async Task Those_of_one_user_come_one_by_one_and_leave_room_for_others()
    {
        await using var turns = new UserQueue(atOnce: 2, Timeout.InfiniteTimeSpan);
        var first = await TakeAsync(turns, Ada);
        var second = turns.TryTakeAsync(Ada, default);

        using (var other = await TakeAsync(turns, Bob))
            Assert.That((other is null, second.IsCompleted), Is.EqualTo((false, false)));

        first!.Dispose();
        Assert.That(await second.WaitAsync(Patience), Is.Not.Null);
    }

    [Test]
    public async Task Without_a_bound_in_all_users_wait_for_themselves_alone()
    {
        await using var turns = new UserQueue(atOnce: null, Timeout.InfiniteTimeSpan);
        var all = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => TakeAsync(turns, new UserId($"user-{i}"))));

        Assert.That(all, Has.None.Null);
        Assert.That(turns.TryTakeAsync(new UserId("user-7"), default).IsCompleted, Is.False);
    }

    [Test]
    public async Task Who_waits_too_long_or_no_more_leaves_nothing_behind()
    {
        await using var turns = new UserQueue(atOnce: 1, TimeSpan.FromMilliseconds(1));
        using (await TakeAsync(turns, Ada))
        {
            foreach (var user in new UserId?[] { Ada, Bob, null })
            {
                Assert.That(await TakeAsync(turns, user), Is.Null);
                Assert.That(
                    () => turns.TryTakeAsync(user, new CancellationToken(canceled: true)), Throws.InstanceOf<OperationCanceledException>());
            }
        }

        foreach (var user in new UserId?[] { Ada, Bob, null })
        {
            using var turn = await TakeAsync(turns, user);
            Assert.That(turn, Is.Not.Null);
        }
    }

    [Test]
    public async Task One_user_does_not_fill_the_queue()
    {
        await using var turns = new UserQueue(atOnce: 1, Timeout.InfiniteTimeSpan);
        using var first = await TakeAsync(turns, Ada);
        var waiting = Enumerable.Range(0, 20).Select(_ => turns.TryTakeAsync(Ada, default)).ToList();

        Assert.That(await TakeAsync(turns, Ada), Is.Null);
        Assert.That(waiting.Select(turn => turn.IsCompleted), Is.All.False);
        Assert.That(turns.TryTakeAsync(Bob, default).IsCompleted, Is.False);
    }

    private static Task<IDisposable?> TakeAsync(UserQueue turns, UserId? user) => turns.TryTakeAsync(user, default).WaitAsync(Patience);
}
