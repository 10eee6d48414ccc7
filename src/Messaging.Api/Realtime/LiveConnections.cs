using System.Collections.Concurrent;
using System.Collections.Immutable;
using Messaging.Application.Events;
using Messaging.Application.Revocations;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Api.Realtime;

/// <summary>
/// This node's connections of the hub and event streams, by user, and those of services under their one name. Several connections hear an
/// event from one serialized message.
/// </summary>
public sealed class LiveConnections : ILiveReceiver, ILiveConnections
{
    private readonly ConcurrentDictionary<string, ImmutableArray<LiveConnection>> byUser = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> changed = new();
    private readonly RevocationList revocations;

    public LiveConnections(RevocationList revocations)
    {
        this.revocations = revocations;
        revocations.OnAdded(CloseRevoked);
    }

    public bool HasListeners => !byUser.IsEmpty;

    public bool HasServices => byUser.ContainsKey(ILiveReceiver.ServiceName);

    /// <summary>How many connections of the user are here.</summary>
    public int CountOf(string user) => byUser.TryGetValue(user, out var connections) ? connections.Length : 0;

    /// <summary>
    /// False when the user has <paramref name="most"/> already, however many come at once. Closes it again if what it was opened with has
    /// been revoked meanwhile: what is revoked from now on finds it here.
    /// </summary>
    public bool TryAdd(string user, LiveConnection connection, int most)
    {
        while (true)
        {
            if (!byUser.TryGetValue(user, out var others))
            {
                if (byUser.TryAdd(user, [connection]))
                {
                    changed.Enqueue(user);
                    break;
                }
            }
            else if (others.Length >= most)
            {
                return false;
            }
            else if (byUser.TryUpdate(user, others.Add(connection), others))
            {
                break;
            }
        }
        if (IsRevoked(connection))
            connection.End();
        return true;
    }

    public void Remove(string user, LiveConnection connection)
    {
        while (byUser.TryGetValue(user, out var before))
        {
            var after = before.Remove(connection);
            if (!(after.IsEmpty ? byUser.TryRemove(KeyValuePair.Create(user, before)) : byUser.TryUpdate(user, after, before)))
                continue;
            if (after.IsEmpty)
                changed.Enqueue(user);
            return;
        }
    }

    public bool Has(string user) => byUser.ContainsKey(user);

    public IReadOnlyCollection<string> TakeChanged()
    {
        var taken = new HashSet<string>(StringComparer.Ordinal);
        while (changed.TryDequeue(out var user))
            taken.Add(user);
        return taken;
    }

    public bool Hears(string type, ConversationId? conversationId, IReadOnlyCollection<string> audience) =>
        audience.Any(Has);

    public void Receive(EventEnvelope envelope, long position, IReadOnlyCollection<string> audience)
    {
        LiveEvent? told = null;
        foreach (var connection in Of(audience))
            connection.Offer(position, told ??= new LiveEvent(envelope));
    }

    public void Push(EphemeralEnvelope envelope, IEnumerable<string> audience)
    {
        foreach (var connection in Of(audience))
            connection.Push(envelope);
    }

    public void Close(IReadOnlyCollection<string> audience)
    {
        foreach (var connection in Of(audience))
            connection.Close();
    }

    public void CloseAll()
    {
        foreach (var connection in All())
            connection.Close();
    }

    public void EndExpired(Instant now)
    {
        foreach (var connection in All())
        {
            if (connection.Credential is { } credential && credential.IsExpired(now))
                connection.End();
        }
    }

    private void CloseRevoked(IReadOnlyList<Revocation> news)
    {
        var users = news.Where(revocation => revocation.Kind is RevocationKind.Connections).Select(revocation => revocation.Subject);
        foreach (var connection in Of(users))
            connection.End();
        foreach (var connection in All().Where(IsRevoked))
            connection.End();
    }

    private bool IsRevoked(LiveConnection connection) => connection.Credential is { } credential && revocations.IsRevoked(credential);

    private IEnumerable<LiveConnection> Of(IEnumerable<string> users)
    {
        foreach (var user in users)
        {
            if (!byUser.TryGetValue(user, out var connections))
                continue;
            foreach (var connection in connections)
                yield return connection;
        }
    }

    /// <summary>All of this moment.</summary>
    public LiveConnection[] All() => [.. byUser.Values.SelectMany(connections => connections)];
}
