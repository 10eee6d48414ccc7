using NodaTime;

namespace Messaging.Application.Tests.Push;

/// <summary>A clock that stands until it is moved.</summary>
internal sealed class MovingTime : IClock
{
    private readonly Lock gate = new();
    private Instant now = Instant.FromUnixTimeMilliseconds(SystemClock.Instance.GetCurrentInstant().ToUnixTimeMilliseconds());

    public Instant GetCurrentInstant()
    {
        lock (gate)
            return now;
    }

    public void Advance(Duration by)
    {
        lock (gate)
            now += by;
    }
}
