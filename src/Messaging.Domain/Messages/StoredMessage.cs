using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Participants;
using NodaTime;

namespace Messaging.Domain.Messages;

/// <summary>Why a message was deleted for everyone.</summary>
public enum DeleteReason
{
    /// <summary>Whoever wrote it wanted it gone.</summary>
    User,

    Moderation,
    Abuse,
    Spam,
}

/// <summary>A message as it stands in its conversation, as somebody is about to change it: guards who may, and until when.</summary>
/// <param name="SenderId">Null for messages of the service and of users who were erased.</param>
/// <param name="Version">Rises with every change of it.</param>
public sealed record StoredMessage(
    MessageId Id, long Seq, UserId? SenderId, MessageType Type, Instant CreatedAt, bool IsDeleted, long Version)
{
    /// <summary>Edits of one message.</summary>
    public const int MaxEdits = 50;

    /// <summary>Refuses what a deleted message takes no more.</summary>
    public void EnsureThere()
    {
        if (IsDeleted)
            throw MessageErrors.Deleted();
    }

    /// <summary>Refuses an edit by anybody but the author, and one that comes too late. The service edits system messages, at any time.</summary>
    /// <param name="by">The actor's part in the conversation; null for the service.</param>
    public void EnsureEditable(Conversation conversation, Actor actor, Participant? by, Instant now)
    {
        conversation.EnsureOpenTo(by);
        EnsureThere();
        if (actor.IsService ? Type is not MessageType.System : SenderId != actor.UserId)
            throw MessageErrors.AuthorOnly();
        if (!actor.IsService && HasPassed(conversation.Policy!.EditWindowSeconds, now))
            throw MessageErrors.EditWindowPassed();
    }

    /// <summary>Refuses an edit of a message that was edited often: every version of it is kept.</summary>
    /// <param name="edits">Those that it has had.</param>
    public static void EnsureEditsLeft(int edits)
    {
        if (edits >= MaxEdits)
            throw MessageErrors.TooManyEdits();
    }

    /// <summary>
    /// Refuses a deletion for everyone by who may not: the author may for a while, those who administer the group and the service always. The
    /// service's holds in a conversation that is closed or archived too.
    /// </summary>
    /// <param name="by">The actor's part in the conversation; null for the service.</param>
    public void EnsureDeletable(Conversation conversation, Actor actor, Participant? by, Instant now)
    {
        if (actor.IsService)
            return;
        conversation.EnsureWritable();
        if (conversation.Type is ConversationType.Group && by!.Administers)
            return;
        if (SenderId != actor.UserId)
            throw MessageErrors.NotYoursToDelete();
        if (!IsDeleted && HasPassed(conversation.Policy!.DeleteWindowSeconds, now))
            throw MessageErrors.DeleteWindowPassed();
    }

    /// <summary>The reason where none was given: one's own message is withdrawn, somebody else's is moderated.</summary>
    public DeleteReason ReasonOf(Actor actor) => SenderId is not null && SenderId == actor.UserId ? DeleteReason.User : DeleteReason.Moderation;

    private bool HasPassed(int? windowSeconds, Instant now) => windowSeconds is { } seconds && CreatedAt + Duration.FromSeconds(seconds) < now;
}
