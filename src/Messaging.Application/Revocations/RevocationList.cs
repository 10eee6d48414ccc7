using System.Collections.Concurrent;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Revocations;

/// <summary>
/// What was revoked lately, as this node knows it: at once what it revoked itself, soon what others did. It is for what was let in
/// before; who comes anew is asked for in the database.
/// </summary>
public sealed class RevocationList
{
    /// <summary>How long a revocation is kept here. Whoever remembers that a credential was good asks anew before that is over.</summary>
    public static readonly TimeSpan KeptFor = TimeSpan.FromHours(2);

    private readonly Lock gate = new();
    private readonly ConcurrentDictionary<(RevocationKind Kind, string Subject), Instant> revoked = new();
    private readonly Queue<(Revocation Revocation, long AddedAt)> added = new();
    private Action<IReadOnlyList<Revocation>>? hear;

    /// <summary>Has <paramref name="heard"/> called with what is new, after it holds.</summary>
    public void OnAdded(Action<IReadOnlyList<Revocation>> heard)
    {
        lock (gate)
            hear += heard;
    }

    /// <summary>Holds when it returns. What is known already is passed over.</summary>
    public void Add(IEnumerable<Revocation> revocations)
    {
        var news = new List<Revocation>();
        lock (gate)
        {
            Forget();
            foreach (var revocation in revocations)
            {
                var key = (revocation.Kind, revocation.Subject);
                if (revoked.TryGetValue(key, out var known) && known >= revocation.RevokedAt)
                    continue;
                revoked[key] = revocation.RevokedAt;
                added.Enqueue((revocation, TimeProvider.System.GetTimestamp()));
                news.Add(revocation);
            }
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
        revoked.TryGetValue((RevocationKind.Tokens, userId.Value), out var at) ? Instant.FromUnixTimeSeconds(at.ToUnixTimeSeconds()) : null;

    private void Forget()
    {
        while (added.TryPeek(out var oldest) && TimeProvider.System.GetElapsedTime(oldest.AddedAt) > KeptFor)
        {
            var (kind, subject, at) = added.Dequeue().Revocation;
            revoked.TryRemove(KeyValuePair.Create((kind, subject), at));
        }
    }
}
