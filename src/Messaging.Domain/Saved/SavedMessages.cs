using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Domain.Saved;

/// <summary>What somebody has saved for oneself, over all conversations: how many there are, and those that it is about.</summary>
public sealed class SavedMessages
{
    /// <summary>Saved messages of one user.</summary>
    public const int Limit = 10_000;

    private readonly Dictionary<(ConversationId Id, long Seq), Instant> saved = [];

    /// <summary>How many there are, those of which nothing else is known among them.</summary>
    public int Count { get; private set; }

    /// <summary>How many there are in the database.</summary>
    public void RestoreCount(int count) => Count = count;

    /// <summary>One of those that are counted, as it stands in the database.</summary>
    public void Restore(ConversationId id, long seq, Instant at) => saved[(id, seq)] = at;

    /// <summary>Since when a message is saved; null for one that is not.</summary>
    public Instant? Of(ConversationId id, long seq) => saved.TryGetValue((id, seq), out var at) ? at : null;

    /// <summary>Saves a message; false for one that is saved already, which stays as it is.</summary>
    public bool Put(ConversationId id, long seq, Instant at)
    {
        if (saved.ContainsKey((id, seq)))
            return false;
        if (Count >= Limit)
            throw SavedErrors.TooMany(Limit);
        saved.Add((id, seq), at);
        Count++;
        return true;
    }

    /// <summary>Saves a message no more; false for one that was not.</summary>
    public bool Take(ConversationId id, long seq)
    {
        if (!saved.Remove((id, seq)))
            return false;
        Count--;
        return true;
    }
}
