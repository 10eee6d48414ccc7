using NodaTime;

namespace Messaging.Infrastructure.Push;

/// <summary>
/// The places of servers that devices name. Those which have not answered promptly share a few, with what takes long meanwhile, and so do
/// all devices of a user. Whoever finds none comes again, of a user one after the other: however many a user has, those of others pass.
/// </summary>
internal sealed class PushPlaces(TimeProvider time)
{
    /// <summary>How many at once wait for servers that have not just answered promptly.</summary>
    public const int OfSlow = PushSender.Concurrency / 4;

    /// <summary>How many at once are of one user.</summary>
    public const int OfUser = 4;

    private const int Many = 10_000;

    private static readonly TimeSpan Between = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Farthest = TimeSpan.FromMinutes(10);

    private readonly Lock gate = new();
    private readonly Dictionary<string, User> users = new(StringComparer.Ordinal);
    private int slow;
    private int tidyAt = Many;

    /// <summary>Takes a place, which has to be returned; else says when to come again.</summary>
    public bool TryTake(string userId, bool isPrompt, out Duration wait)
    {
        lock (gate)
        {
            var user = Of(userId);
            if (user.Running < OfUser && (isPrompt || slow < OfSlow))
            {
                user.Running++;
                slow += isPrompt ? 0 : 1;
                wait = Duration.Zero;
                return true;
            }
            wait = Duration.FromTimeSpan(user.NextTurn(time.GetUtcNow()));
            return false;
        }
    }

    /// <summary>Has what holds a place of the prompt, and takes long, go on in one of the slow; else it has to return its own.</summary>
    public bool TryTurnSlow()
    {
        lock (gate)
        {
            if (slow >= OfSlow)
                return false;
            slow++;
            return true;
        }
    }

    public void Return(string userId, bool isPrompt)
    {
        lock (gate)
        {
            users[userId].Running--;
            slow -= isPrompt ? 0 : 1;
        }
    }

    private User Of(string userId)
    {
        if (users.Count >= tidyAt)
            Tidy();
        if (!users.TryGetValue(userId, out var user))
            users[userId] = user = new User();
        return user;
    }

    private void Tidy()
    {
        var now = time.GetUtcNow();
        foreach (var (idle, _) in users.Where(one => one.Value.Running == 0 && one.Value.LastTurn <= now).ToList())
            users.Remove(idle);
        tidyAt = Math.Max(Many, users.Count * 2);
    }

    private sealed class User
    {
        public int Running { get; set; }

        public DateTimeOffset LastTurn { get; private set; }

        public TimeSpan NextTurn(DateTimeOffset now)
        {
            var next = (LastTurn > now ? LastTurn : now) + Between;
            LastTurn = next < now + Farthest ? next : now + Farthest;
            return LastTurn - now;
        }
    }
}
