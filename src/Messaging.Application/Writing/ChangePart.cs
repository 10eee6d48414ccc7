using Messaging.Application.Messages;
using Messaging.Domain.Common;
using Messaging.Domain.Messages;
using NodaTime;

namespace Messaging.Application.Writing;

/// <summary>
/// What changes ask for, decide on and leave behind of the tables of one module. Puts no statement into a round trip for which nobody asks.
/// </summary>
public abstract class ChangePart
{
    /// <summary>Adds what locks rows beside those of conversations and places.</summary>
    /// <param name="waits">Whether it waits for what somebody else holds; else that is passed over.</param>
    /// <param name="miss">Told of the conversation of which something was not to be had: all of it comes again.</param>
    internal virtual void Lock(Round round, bool waits, Action<ConversationId> miss)
    {
    }

    /// <summary>Adds what reads, under the locks, what was asked for.</summary>
    internal virtual void Load(Round round)
    {
    }

    /// <summary>Adds what reads what the first round trip did not find, where something may be elsewhere.</summary>
    internal virtual void LoadElsewhere(Round round)
    {
    }

    /// <summary>
    /// Leaves nothing to be written of what hangs on a message that is deleted for everyone. What is stored of it goes by
    /// <see cref="MessageDetail.Deletions"/>.
    /// </summary>
    internal virtual void Forget(ConversationId id, StoredMessage message)
    {
    }

    /// <summary>
    /// Has what somebody keeps for oneself of messages go with the sight of them: deleted for oneself, cleared, or left behind. They are
    /// those after a seq, up to another one.
    /// </summary>
    internal virtual void ForgetOwn(ConversationId id, UserId user, long after, long upto)
    {
    }

    /// <summary>Adds what writes what was decided.</summary>
    internal virtual void Write(Round round)
    {
    }

    /// <summary>What is told of it beside what changes tell themselves.</summary>
    internal virtual IEnumerable<EventRow> Events() => [];

    /// <summary>Adds what reads how things stand once all is written.</summary>
    internal virtual void ReadBack(Round round)
    {
    }
}

/// <summary>An event that is to be written.</summary>
/// <param name="No">Its place among the conversation's; null for one that has none.</param>
readonly record struct EventRow(
    Instant At, ConversationId ConversationId, long? No, long? Seq, UserId? Audience, string Type, string? Values);
