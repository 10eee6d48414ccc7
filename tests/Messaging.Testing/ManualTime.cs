namespace Messaging.Testing;

/// <summary>A clock that stands until it is moved. Its timers are the system's: what is due is seen at their next tick.</summary>
public sealed class ManualTime : TimeProvider
{
    long now = TimeSpan.TicksPerDay;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Interlocked.Read(ref now);

    public void Advance(TimeSpan by) => Interlocked.Add(ref now, by.Ticks);
}
