using Messaging.Application.Contacts;
using Messaging.Domain.Common;

namespace Messaging.Application.Tests.Contacts;

public sealed class PairQueueTests
{
    private PairQueue queue = null!;
    private TaskCompletionSource held = null!;

    [SetUp]
    public void Begin() => (queue, held) = (new PairQueue(), new TaskCompletionSource());

    [Test]
    public async Task So_many_wait_and_no_more()
    {
        var waiting = Enumerable.Range(0, PairQueue.MaxWaiting).Select(_ => WaitAsync("ada")).ToList();

        Assert.That(
            () => WaitAsync("ada"),
            Throws.TypeOf<RuleException>().With.Property("Problem").Property("Code").EqualTo(ProblemCodes.Unavailable));
        held.SetResult();
        await Task.WhenAll(waiting);
        Assert.That(() => WaitAsync("ada"), Throws.Nothing);
    }

    [Test]
    public async Task So_many_wait_in_all_however_many_they_are()
    {
        var waiting = Enumerable.Range(0, PairQueue.MaxWaiting).Select(i => WaitAsync($"user{i}")).ToList();

        Assert.That(WaitAsync("eve").IsFaulted, Is.True);
        held.SetResult();
        await Task.WhenAll(waiting);
        Assert.That(() => WaitAsync("eve"), Throws.Nothing);
    }

    [Test]
    public async Task Who_has_the_most_places_gives_the_newest_up_to_who_has_fewer()
    {
        var waiting = Enumerable.Range(0, PairQueue.MaxWaiting).Select(i => WaitAsync(i < 4 ? "ada" : "bob")).ToList();

        waiting.Add(WaitAsync("eve"));

        Assert.That(await CodeAsync(waiting[9]), Is.EqualTo(ProblemCodes.Unavailable));
        waiting.RemoveAt(9);
        held.SetResult();
        Assert.That(() => Task.WhenAll(waiting), Throws.Nothing);
    }

    [Test]
    public async Task Who_blocks_is_let_through_however_many_wait_and_however_often_others_block()
    {
        var waiting = Enumerable.Range(0, PairQueue.MaxWaiting).Select(i => WaitAsync($"user{i}")).ToList();
        var blocking = Enumerable.Range(0, PairQueue.MaxBlocking).Select(_ => BlockAsync("bob")).ToList();

        Assert.That(BlockAsync("bob").IsFaulted, Is.True);
        blocking.Add(BlockAsync("ada"));
        Assert.That(await CodeAsync(waiting[9]), Is.EqualTo(ProblemCodes.Unavailable));
        held.SetResult();
        Assert.That(() => Task.WhenAll(blocking), Throws.Nothing);
    }

    [Test]
    public async Task Who_blocks_gives_up_a_place_to_nobody_who_does_not()
    {
        var blocking = Enumerable.Range(0, PairQueue.MaxWaiting).Select(i => BlockAsync($"user{i / 2}")).ToList();

        Assert.That(WaitAsync("eve").IsFaulted, Is.True);
        blocking.Add(BlockAsync("eve"));
        Assert.That(await CodeAsync(blocking[9]), Is.EqualTo(ProblemCodes.Unavailable));
        held.SetResult();
    }

    private Task WaitAsync(string user) => queue.WaitAsync(new(user), blocks: false, held.Task.WaitAsync, CancellationToken.None);

    private Task BlockAsync(string user) => queue.WaitAsync(new(user), blocks: true, held.Task.WaitAsync, CancellationToken.None);

    private static async Task<string> CodeAsync(Task refused)
    {
        try
        {
            await refused;
            return "";
        }
        catch (RuleException e)
        {
            return e.Problem.Code;
        }
    }
}
