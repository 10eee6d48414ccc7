using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Domain.Saved;

/// <summary>A user's saved messages in all conversations: how many there are, and those that a change is about.</summary>
public sealed class SavedMessages
{
    /// <summary>The most messages a user can save.</summary>
    public const int Limit = 10_000;

    private readonly Dictionary<(ConversationId Id, long Seq), Instant> saved = [];

    /// <summary>How many there are, including those that were not loaded.</summary>
    public int Count { get; private set; }

    /// <summary>Restores the number of stored ones.</summary>
    public void RestoreCount(int count) => Count = count;

    /// <summary>Restores one of those that are counted.</summary>
    public void Restore(ConversationId id, long seq, Instant at) => saved[(id, seq)] = at;

    /// <summary>When a message was saved; null for one that is not.</summary>
    public Instant? Find(ConversationId id, long seq) => saved.TryGetValue((id, seq), out var at) ? at : null;

    /// <summary>Saves a message; false if it is already saved, which changes nothing.</summary>
    public bool Save(ConversationId id, long seq, Instant at)
    {
        if (saved.ContainsKey((id, seq)))
            return false;
        if (Count >= Limit)
            throw SavedErrors.TooMany(Limit);
        saved.Add((id, seq), at);
        Count++;
        return true;
    }

    /// <summary>Removes a saved message; false if it was not saved.</summary>
    public bool Unsave(ConversationId id, long seq)
    {
        if (!saved.Remove((id, seq)))
            return false;
        Count--;
        return true;
    }
}
