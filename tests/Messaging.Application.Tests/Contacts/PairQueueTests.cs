using Messaging.Application.Contacts;
using Messaging.Domain.Common;

namespace Messaging.Application.Tests.Contacts;

public sealed class PairQueueTests
{
    [Test]
    public async Task So_many_wait_for_the_same_two_and_no_more()
    {
        var (queue, held) = (new PairQueue(), new TaskCompletionSource());
        var waiting = Enumerable.Range(0, PairQueue.MaxWaiting).Select(_ => queue.WaitAsync("ada bob", () => held.Task)).ToList();

        Assert.That(
            () => queue.WaitAsync("ada bob", () => held.Task),
            Throws.TypeOf<RuleException>().With.Property("Problem").Property("Code").EqualTo(ProblemCodes.Unavailable));
        Assert.That(() => queue.WaitAsync("ada eve", () => Task.CompletedTask), Throws.Nothing);
        held.SetResult();
        await Task.WhenAll(waiting);
        Assert.That(() => queue.WaitAsync("ada bob", () => Task.CompletedTask), Throws.Nothing);
    }

    [Test]
    public async Task So_many_wait_in_all_and_no_more()
    {
        var (queue, held) = (new PairQueue(), new TaskCompletionSource());
        var waiting = Enumerable.Range(0, PairQueue.MaxWaitingInAll).Select(i => queue.WaitAsync($"ada {i}", () => held.Task)).ToList();

        Assert.That(queue.WaitAsync("ada bob", () => held.Task).IsFaulted, Is.True);
        held.SetResult();
        await Task.WhenAll(waiting);
        Assert.That(() => queue.WaitAsync("ada bob", () => Task.CompletedTask), Throws.Nothing);
    }

    [Test]
    public async Task Who_blocks_is_let_through_however_many_wait_and_however_often_others_block()
    {
        var (queue, held) = (new PairQueue(), new TaskCompletionSource());
        var waiting = Enumerable.Range(0, PairQueue.MaxWaiting).Select(_ => queue.WaitAsync("ada bob", () => held.Task)).ToList();
        waiting.AddRange(Enumerable.Range(0, PairQueue.MaxBlocking).Select(_ => queue.BlockAsync(new("bob"), () => held.Task)));

        Assert.That(queue.BlockAsync(new("bob"), () => held.Task).IsFaulted, Is.True);
        Assert.That(() => queue.BlockAsync(new("ada"), () => Task.CompletedTask), Throws.Nothing);
        held.SetResult();
        await Task.WhenAll(waiting);
    }
}
