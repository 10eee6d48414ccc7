using System.Collections.Concurrent;
using Messaging.Application.Common;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Conversations;

/// <summary>
/// What this node has noticed of its users' inboxes: which are read by their places, and which may have too many conversations of one day.
/// What is lost is noticed again with the next page.
/// </summary>
public sealed class LargeInboxCache : IDisposable
{
    private const int Most = 10_000;

    private readonly Lock gate = new();
    private readonly Signal suspected = new();
    private readonly ConcurrentDictionary<UserId, bool> large = [];
    private HashSet<(UserId User, LocalDate Day)> suspects = [];

    /// <summary>Whether the user's inbox was read by its places lately: it is asked there first.</summary>
    public bool IsLarge(UserId user) => large.ContainsKey(user);

    public void Large(UserId user)
    {
        if (large.Count >= Most)
            large.Clear();
        large[user] = true;
    }

    /// <summary>Has this node's worker look at an inbox of which many conversations may have the day.</summary>
    public void Suspect(UserId user, LocalDate day)
    {
        lock (gate)
        {
            if (!IsLarge(user) && suspects.Count < Most && suspects.Add((user, day)) && suspects.Count == 1)
                suspected.Raise();
        }
    }

    /// <summary>The suspects since the last time; none after <paramref name="timeout"/>.</summary>
    public async Task<IReadOnlyCollection<(UserId User, LocalDate Day)>> WaitAsync(TimeSpan timeout, CancellationToken ct)
    {
        if (!await suspected.WaitAsync(timeout, ct))
            return [];
        lock (gate)
        {
            var named = suspects;
            suspects = [];
            return named;
        }
    }

    public void Dispose() => suspected.Dispose();
}
