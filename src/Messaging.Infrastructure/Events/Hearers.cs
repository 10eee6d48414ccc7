using Messaging.Application.Events;
using Messaging.Application.Messages;
using Messaging.Domain.Conversations;

namespace Messaging.Infrastructure.Events;

/// <summary>
/// In which conversations this node's listeners take part, so that an event costs only those whom it concerns. Read when somebody begins to
/// listen, and continued from the feed. Nobody who takes part is missing as of the events that are told next; some may have left: who hears
/// an event is read together with its data. Used by one reader.
/// </summary>
sealed class Hearers(IReadOnlyCollection<ILiveReceiver> receivers)
{
    /// <summary>Conversations that are remembered of one user.</summary>
    private const int MaxOfUser = 20_000;

    private const int AtOnce = 200;

    // Index: ix_participants_inbox alone, where its pages are all-visible.
    private const string PlacesSql =
        $"""
        SELECT k.user_id, place.conversation_id
        FROM unnest(@UserIds::text[]) AS k (user_id)
        CROSS JOIN LATERAL (
            SELECT p.conversation_id
            FROM participants p
            WHERE p.user_id = k.user_id AND {VisibilitySql.TakesPart}
            LIMIT @Limit
        ) AS place
        """;

    // Index: pk_participants.
    private const string MembersSql =
        $"""
        SELECT p.user_id, p.conversation_id
        FROM participants p
        WHERE p.conversation_id = ANY (@ConversationIds) AND {VisibilitySql.TakesPart}
        """;

    private readonly Dictionary<string, HashSet<Guid>> places = new(StringComparer.Ordinal);
    private readonly Dictionary<Guid, List<string>> present = [];
    private readonly HashSet<string> unlisted = new(StringComparer.Ordinal);
    private readonly HashSet<string> waiting = new(StringComparer.Ordinal);
    private int count;

    /// <inheritdoc cref="FeedReader.MostPlaces"/>
    public int Most { get; set; } = 1_000_000;

    /// <summary>Those here who may take part in a conversation.</summary>
    public IReadOnlyCollection<string> Of(Guid conversation)
    {
        var listed = present.GetValueOrDefault(conversation);
        return (listed, unlisted.Count) switch
        {
            (null, _) => unlisted,
            (_, 0) => listed,
            _ => [.. listed, .. unlisted],
        };
    }

    /// <summary>Reads where those take part who have begun to listen, and who takes part where the events tell of somebody new.</summary>
    /// <param name="rows">The events that are told next; read before this is called.</param>
    public async Task UpdateAsync(FeedTail tail, IReadOnlyList<FeedRow> rows, CancellationToken ct)
    {
        Note();
        while (waiting.Count > 0)
        {
            string[] users = [.. waiting.Take(AtOnce)];
            var found = (await tail.QueryAsync<Place>(PlacesSql, new { UserIds = users, Limit = MaxOfUser + 1 }, ct))
                .ToLookup(place => place.UserId, place => place.ConversationId);
            foreach (var user in users)
                List(user, [.. found[user]]);
            waiting.ExceptWith(users);
        }
        // Who is new somewhere hears of that by an event of this type, whether they found it, are added, come back or have it opened.
        Guid[] begun = [.. rows.Where(row => row is { Type: ConversationCreated.Name, ConversationId: not null })
            .Select(row => row.ConversationId!.Value).Distinct()];
        if (begun.Length == 0 || places.Count == 0)
            return;
        foreach (var (user, conversation) in await tail.QueryAsync<Place>(MembersSql, new { ConversationIds = begun }, ct))
        {
            if (places.ContainsKey(user))
                Add(user, conversation);
        }
    }

    /// <summary>Notes who has begun or ceased to listen.</summary>
    public void Note()
    {
        foreach (var user in receivers.SelectMany(receiver => receiver.TakeChanged()))
        {
            if (!receivers.Any(receiver => receiver.Has(user)))
                Remove(user);
            else if (!places.ContainsKey(user) && !unlisted.Contains(user))
                waiting.Add(user);
        }
    }

    /// <summary>Reads everything again before the next event is told, because some events are not read.</summary>
    public void Forget()
    {
        Note();
        waiting.UnionWith(places.Keys);
        waiting.UnionWith(unlisted);
        places.Clear();
        present.Clear();
        unlisted.Clear();
        count = 0;
    }

    /// <summary>Forgets those of a conversation's listeners who do not take part in it any more.</summary>
    public void Keep(Guid conversation, IEnumerable<string> members)
    {
        if (!present.TryGetValue(conversation, out var users))
            return;
        foreach (var user in users.Except(members).ToList())
        {
            places[user].Remove(conversation);
            TakeOut(user, conversation);
        }
    }

    private void List(string user, IReadOnlyCollection<Guid> conversations)
    {
        if (conversations.Count > MaxOfUser || count + conversations.Count > Most)
        {
            unlisted.Add(user);
            return;
        }
        places[user] = new HashSet<Guid>(conversations.Count);
        foreach (var conversation in conversations)
            Add(user, conversation);
    }

    private void Add(string user, Guid conversation)
    {
        var own = places[user];
        if (!own.Add(conversation))
            return;
        if (!present.TryGetValue(conversation, out var users))
            present[conversation] = users = new List<string>(1);
        users.Add(user);
        count++;
        if (own.Count <= MaxOfUser && count <= Most)
            return;
        Remove(user);
        unlisted.Add(user);
    }

    private void Remove(string user)
    {
        waiting.Remove(user);
        unlisted.Remove(user);
        if (!places.Remove(user, out var own))
            return;
        foreach (var conversation in own)
            TakeOut(user, conversation);
    }

    private void TakeOut(string user, Guid conversation)
    {
        var users = present[conversation];
        // Their order means nothing.
        users[users.IndexOf(user)] = users[^1];
        users.RemoveAt(users.Count - 1);
        if (users.Count == 0)
            present.Remove(conversation);
        count--;
    }

    private sealed record Place(string UserId, Guid ConversationId);
}
