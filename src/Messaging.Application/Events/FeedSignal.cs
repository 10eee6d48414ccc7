using Messaging.Application.Bus;
using Messaging.Application.Common;

namespace Messaging.Application.Events;

/// <summary>Wakes the readers of the feed: those of all nodes after a move by this node's sequencer, or by another node's word.</summary>
public sealed class FeedSignal
{
    /// <summary>The name of the signal on the bus. It may be lost: readers poll, too.</summary>
    public const string Topic = "feed";

    private readonly Lock gate = new();
    private readonly List<FeedWaker> wakers = [];
    private readonly IBus? bus;
    private long newest;

    /// <summary>Without a bus for one node alone.</summary>
    public FeedSignal(IBus? bus = null)
    {
        this.bus = bus;
        bus?.Subscribe<Growth>(Topic, (_, growth) => Raise(growth.Position));
    }

    /// <summary>Says that the feed goes up to <paramref name="position"/> at least; word that comes twice wakes once.</summary>
    public void Announce(long position)
    {
        Raise(position);
        bus?.Publish(Topic, new Growth(position));
    }

    /// <summary>Positions begin anew: what comes next is news, however low.</summary>
    public void Forget()
    {
        lock (gate)
            newest = 0;
    }

    /// <summary>For one reader, which is woken by what is announced from now on.</summary>
    public FeedWaker Listen()
    {
        var waker = new FeedWaker(Leave);
        lock (gate)
            wakers.Add(waker);
        return waker;
    }

    private void Raise(long position)
    {
        lock (gate)
        {
            if (position <= newest)
                return;
            newest = position;
            wakers.ForEach(waker => waker.Raise());
        }
    }

    private void Leave(FeedWaker waker)
    {
        lock (gate)
            wakers.Remove(waker);
    }

    private sealed record Growth(long Position);
}

/// <summary>One reader's ear at the signal: what was announced since it waited last wakes it at once.</summary>
public sealed class FeedWaker(Action<FeedWaker> leave) : Signal
{
    protected override void Dispose(bool disposing)
    {
        leave(this);
        base.Dispose(disposing);
    }
}
