using System.Collections.Concurrent;
using Messaging.Application.Common;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Revocations;

/// <summary>
/// What was revoked lately, as this node knows it: at once what it revoked itself, soon what others did. It is for what was let in
/// before; who comes anew is asked for in the database.
/// </summary>
public sealed class RevocationList(TimeProvider time)
{
    /// <summary>How long a revocation is kept here. Whoever remembers that a credential was good asks anew before that is over.</summary>
    public static readonly TimeSpan KeptFor = TimeSpan.FromHours(2);

    private readonly Lock gate = new();
    private readonly ConcurrentDictionary<(RevocationKind Kind, string Subject), Known> revoked = new();
    private readonly Queue<((RevocationKind Kind, string Subject) Key, long HeardAt)> oldest = new();
    private Action<IReadOnlyList<Revocation>>? hear;

    /// <summary>Has <paramref name="heard"/> called with what is new, after it holds.</summary>
    public void OnAdded(Action<IReadOnlyList<Revocation>> heard)
    {
        lock (gate)
            hear += heard;
    }

    /// <summary>Has what a handler has written hold from the commit on.</summary>
    public void AddAfterCommit(DbSession session, params IReadOnlyList<Revocation> revocations) =>
        session.AfterCommit(() => Add(revocations));

    /// <summary>Holds when it returns. What is known already is kept longer and is no news.</summary>
    public void Add(IEnumerable<Revocation> revocations)
    {
        var news = new List<Revocation>();
        lock (gate)
        {
            foreach (var revocation in revocations)
            {
                if (Hear(revocation))
                    news.Add(revocation);
            }
            Forget();
        }
        if (news.Count > 0)
            hear?.Invoke(news);
    }

    public bool IsRevoked(Credential credential) =>
        (credential.ServiceKeyId is { } key && revoked.ContainsKey((RevocationKind.Key, key)))
        || (credential.Session is { } session && revoked.ContainsKey((RevocationKind.Session, session)))
        || (credential is { IssuedAt: { } at, UserId: { } user } && at <= TokensEndedAt(user));

    /// <summary>Up to which second the user's tokens have ended, a token's times being whole seconds; null if none were, lately.</summary>
    public Instant? TokensEndedAt(UserId userId) =>
        revoked.TryGetValue((RevocationKind.Tokens, userId.Value), out var known)
            ? Instant.FromUnixTimeSeconds(known.RevokedAt.ToUnixTimeSeconds())
            : null;

    private bool Hear(Revocation revocation)
    {
        var (key, now) = ((revocation.Kind, revocation.Subject), time.GetTimestamp());
        if (!revoked.TryGetValue(key, out var known))
            oldest.Enqueue((key, now));
        var isNews = known is null || known.RevokedAt < revocation.RevokedAt;
        revoked[key] = new Known(isNews ? revocation.RevokedAt : known!.RevokedAt, now);
        return isNews;
    }

    // Not what was heard of since: while a transaction stays open it is read over and over, and would be news again.
    private void Forget()
    {
        while (oldest.TryPeek(out var next) && time.GetElapsedTime(next.HeardAt) > KeptFor)
        {
            oldest.Dequeue();
            var heardAt = revoked[next.Key].HeardAt;
            if (heardAt > next.HeardAt)
                oldest.Enqueue((next.Key, heardAt));
            else
                revoked.TryRemove(next.Key, out _);
        }
    }

    private sealed record Known(Instant RevokedAt, long HeardAt);
}
