using Messaging.Application.Events;

namespace Messaging.Application.Tests.Events;

public sealed class FeedSignalTests
{
    [Test]
    public async Task Word_of_what_is_known_wakes_nobody_unless_positions_have_begun_anew()
    {
        var signal = new FeedSignal();
        using var waker = signal.Listen();

        signal.Announce(7);
        Assert.That(await IsWokenAsync(), Is.True);
        signal.Announce(7);
        signal.Announce(6);
        Assert.That(await IsWokenAsync(), Is.False);
        signal.Announce(8);
        Assert.That(await IsWokenAsync(), Is.True);
        signal.Forget();
        signal.Announce(3);
        Assert.That(await IsWokenAsync(), Is.True);

        Task<bool> IsWokenAsync() => waker.WaitAsync(TimeSpan.Zero, CancellationToken.None);
    }
}
