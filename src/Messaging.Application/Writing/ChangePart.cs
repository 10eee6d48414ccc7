using Messaging.Application.Messages;
using Messaging.Domain.Common;
using Messaging.Domain.Messages;
using NodaTime;

namespace Messaging.Application.Writing;

/// <summary>The order in which parts lock, read and write. Parts of one stage run in the order of their names.</summary>
public enum ChangeStage
{
    Conversation,
    Membership,
    Admission,
    NewMessage,
    Message,

    /// <summary>Details of messages; after the messages.</summary>
    Detail,

    /// <summary>A participant's own state; after all messages of the batch.</summary>
    OwnState,
}

/// <summary>
/// What changes require, decide on and leave in the tables of one module. Found by scanning; each batch has instances of its own. Adds
/// only those statements to a round trip that a change requires.
/// </summary>
public abstract class ChangePart
{
    internal virtual ChangeStage Stage => ChangeStage.Detail;

    /// <summary>Adds statements that lock rows other than conversations and memberships.</summary>
    /// <param name="waits">Whether it waits for rows locked by others; otherwise it skips them.</param>
    /// <param name="miss">Called with each conversation of which something could not be locked: all its changes are retried.</param>
    internal virtual void Lock(Round round, bool waits, Action<ConversationId> miss)
    {
    }

    /// <summary>Adds statements that read what was required, under the locks.</summary>
    internal virtual void Load(Round round)
    {
    }

    /// <summary>Adds statements that look elsewhere for what the first round trip did not find.</summary>
    internal virtual void LoadElsewhere(Round round)
    {
    }

    /// <summary>
    /// Drops pending writes that belong to a message being deleted for everyone. What is already stored is removed by
    /// <see cref="MessageDetail.Deletions"/>.
    /// </summary>
    internal virtual void Forget(ConversationId id, StoredMessage message)
    {
    }

    /// <summary>
    /// Removes what a user keeps privately about messages that the user can no longer see: deleted for themselves, cleared, or left behind.
    /// These are the messages after one seq, up to another.
    /// </summary>
    internal virtual void ForgetOwn(ConversationId id, UserId user, long after, long upto)
    {
    }

    /// <summary>Adds statements that write what was decided.</summary>
    internal virtual void Write(Round round)
    {
    }

    /// <summary>Events beside those that the changes raise themselves.</summary>
    internal virtual IEnumerable<EventRow> Events() => [];

    /// <summary>Adds statements that read the state after everything is written.</summary>
    internal virtual void ReadBack(Round round)
    {
    }
}

/// <summary>An event to be written.</summary>
/// <param name="No">Its number among the conversation's events; null if it has none.</param>
readonly record struct EventRow(
    Instant At, ConversationId ConversationId, long? No, long? Seq, UserId? Audience, string Type, string? Values);
