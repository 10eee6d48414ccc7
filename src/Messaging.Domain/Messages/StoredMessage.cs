using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Participants;
using NodaTime;

namespace Messaging.Domain.Messages;

/// <summary>Why a message was deleted for everyone.</summary>
public enum DeleteReason
{
    /// <summary>Withdrawn by its author.</summary>
    User,

    Moderation,
    Abuse,
    Spam,
}

/// <summary>The content of a message.</summary>
/// <param name="Metadata">A JSON object as text, as <paramref name="Location"/> and <paramref name="Reference"/> are.</param>
public sealed record MessageBody(string? Text, string? Metadata, IReadOnlyList<UserId> Mentions, string? Location, string? Reference)
{
    public static readonly MessageBody Empty = new(Text: null, Metadata: null, [], Location: null, Reference: null);
}

/// <summary>The deletion of a message for everyone.</summary>
/// <param name="By">Null for the service.</param>
public sealed record Deletion(Instant At, UserId? By, DeleteReason Reason);

/// <summary>A stored message that is about to be changed: guards who may change it, and until when.</summary>
/// <param name="SenderId">Null for messages from the service and from erased users.</param>
/// <param name="Version">Rises with every change of it.</param>
public sealed record StoredMessage(
    MessageId Id, long Seq, UserId? SenderId, MessageType Type, Instant CreatedAt, bool IsDeleted, long Version)
{
    /// <summary>The maximum number of edits of a message.</summary>
    public const int MaxEdits = 50;

    /// <summary>Its content, if that was loaded.</summary>
    public MessageBody? Body { get; init; }

    public int EditCount { get; init; }

    public Instant? EditedAt { get; init; }

    /// <summary>Set if it was deleted after it was loaded.</summary>
    public Deletion? Deletion { get; private init; }

    /// <summary>The users for whom its mentions count.</summary>
    public IReadOnlyList<UserId> Counted => MentionRules.Counted(Body!.Mentions, Type, SenderId);

    /// <summary>Whether it counts as unread for those who have not read it.</summary>
    public bool Counts => Type is not MessageType.System && !IsDeleted;

    /// <summary>Changes its content; limited in number, because every version is kept.</summary>
    public StoredMessage Edit(MessageBody body, Instant at) => EditCount >= MaxEdits
        ? throw MessageErrors.TooManyEdits()
        : this with { Body = body, EditCount = EditCount + 1, EditedAt = at, Version = Version + 1 };

    /// <summary>Deletes its content; its place in the conversation remains.</summary>
    public StoredMessage Delete(Deletion deletion) =>
        this with { Body = MessageBody.Empty, IsDeleted = true, Deletion = deletion, Version = Version + 1 };

    /// <summary>Refuses what is not possible on a deleted message.</summary>
    public void EnsureNotDeleted()
    {
        if (IsDeleted)
            throw MessageErrors.Deleted();
    }

    /// <summary>
    /// Refuses an edit by anybody but the author, and one that comes too late. The service edits system messages, at any time.
    /// </summary>
    /// <param name="by">The actor's membership; null for the service.</param>
    public void EnsureEditable(Conversation conversation, Actor actor, Participant? by, Instant now)
    {
        conversation.EnsureOpenTo(by);
        EnsureNotDeleted();
        if (actor.IsService ? Type is not MessageType.System : SenderId != actor.UserId)
            throw MessageErrors.AuthorOnly();
        if (!actor.IsService && HasPassed(conversation.Policy.EditWindowSeconds, now))
            throw MessageErrors.EditWindowPassed();
    }

    /// <summary>
    /// Refuses a deletion for everyone by an actor who may not: the author may for a limited time, the owner and admins of the group and
    /// the service always; the service also in a closed or archived conversation.
    /// </summary>
    /// <param name="by">The actor's membership; null for the service.</param>
    public void EnsureDeletable(Conversation conversation, Actor actor, Participant? by, Instant now)
    {
        if (actor.IsService)
            return;
        conversation.EnsureWritable();
        if (conversation.Type is ConversationType.Group && by!.Administers)
            return;
        if (SenderId != actor.UserId)
            throw MessageErrors.NotYoursToDelete();
        if (!IsDeleted && HasPassed(conversation.Policy.DeleteWindowSeconds, now))
            throw MessageErrors.DeleteWindowPassed();
    }

    /// <summary>The default reason: `user` for the actor's own message, `moderation` for any other.</summary>
    public DeleteReason ReasonOf(Actor actor) =>
        SenderId is not null && SenderId == actor.UserId ? DeleteReason.User : DeleteReason.Moderation;

    private bool HasPassed(int? windowSeconds, Instant now) =>
        windowSeconds is { } seconds && CreatedAt + Duration.FromSeconds(seconds) < now;
}
