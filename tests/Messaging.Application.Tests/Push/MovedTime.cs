namespace Messaging.Application.Tests.Push;

/// <summary>A time that can be moved on, with what waits for it.</summary>
internal sealed class MovedTime : TimeProvider
{
    private readonly List<MovedTimer> timers = [];
    private TimeSpan by;

    public TimeSpan By
    {
        get => by;
        set
        {
            by = value;
            List<MovedTimer> due;
            lock (timers)
            {
                due = timers.FindAll(timer => timer.At <= by);
                timers.RemoveAll(due.Contains);
            }
            due.ForEach(timer => timer.Ring());
        }
    }

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + By;

    public override long GetTimestamp() => base.GetTimestamp() + (long)(By.TotalSeconds * TimestampFrequency);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new MovedTimer(this, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }

    private sealed class MovedTimer(MovedTime time, Action ring) : ITimer
    {
        public TimeSpan At { get; private set; }

        public void Ring() => ring();

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time.timers)
            {
                time.timers.Remove(this);
                At = time.By + dueTime;
                if (dueTime >= TimeSpan.Zero)
                    time.timers.Add(this);
            }
            return true;
        }

        public void Dispose()
        {
            lock (time.timers)
                time.timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
