using Messaging.Domain.Common;
using Messaging.Infrastructure.Attachments;

namespace Messaging.Api.Tests.Attachments;

public sealed class DecoderTurnsTests
{
    private static readonly UserId Ada = new("ada");
    private static readonly UserId Bob = new("bob");

    [Test]
    public async Task One_users_images_are_looked_at_one_by_one_and_leave_room_for_others()
    {
        await using var turns = new DecoderTurns(atOnce: 2, Timeout.InfiniteTimeSpan);
        var first = new TaskCompletionSource<int>();
        var running = turns.RunAsync(Ada, () => first.Task, default);

        var second = turns.RunAsync(Ada, () => Task.FromResult(2), default);

        Assert.That(await turns.RunAsync(Bob, () => Task.FromResult(3), default), Is.EqualTo(3));
        Assert.That(second.IsCompleted, Is.False);
        first.SetResult(1);
        Assert.That(await Task.WhenAll(running, second), Is.EqualTo(new[] { 1, 2 }));
    }

    [Test]
    public async Task Who_would_wait_for_long_is_told_to_come_again()
    {
        await using var turns = new DecoderTurns(atOnce: 1, TimeSpan.FromMilliseconds(20));
        var first = new TaskCompletionSource<int>();
        var running = turns.RunAsync(Ada, () => first.Task, default);

        foreach (var user in new[] { Ada, Bob })
        {
            var refused = await Assert.ThrowsAsync<RuleException>(() => turns.RunAsync(user, () => Task.FromResult(2), default));
            Assert.That((refused!.Problem.Code, refused.Problem.RetryAfterSeconds), Is.EqualTo((ProblemCodes.Unavailable, 10)));
        }
        first.SetResult(1);
        await running;
        Assert.That(await turns.RunAsync(Bob, () => Task.FromResult(3), default), Is.EqualTo(3));
    }

    [Test]
    public async Task One_user_does_not_fill_the_queue()
    {
        await using var turns = new DecoderTurns(atOnce: 1, Timeout.InfiniteTimeSpan);
        var first = new TaskCompletionSource<int>();
        var running = turns.RunAsync(Ada, () => first.Task, default);
        var waiting = Enumerable.Range(0, 20).Select(_ => turns.RunAsync(Ada, () => Task.FromResult(2), default)).ToList();

        var refused = await Assert.ThrowsAsync<RuleException>(() => turns.RunAsync(Ada, () => Task.FromResult(2), default));

        Assert.That(refused!.Problem.Code, Is.EqualTo(ProblemCodes.Unavailable));
        first.SetResult(1);
        await Task.WhenAll([running, .. waiting]);
    }
}
