using Messaging.Application.Attachments;
using Messaging.Application.Common;
using Messaging.Application.Events;
using Messaging.Application.Reactions;
using Messaging.Domain.Common;
using Messaging.Domain.Messages;
using NodaTime;

namespace Messaging.Application.Messages;

/// <summary>A message as a participant sees it.</summary>
/// <param name="Seq">Its dense number in its conversation, from 1.</param>
/// <param name="SenderId">Null for messages from the service and from erased users.</param>
/// <param name="Metadata">The JSON value that was sent.</param>
/// <param name="Location">The location of a message of type <c>location</c>.</param>
/// <param name="Reference">What a message of type <c>shared</c> shares.</param>
/// <param name="Mentions">The mentioned users, in the order given; <c>@all</c> is everyone.</param>
/// <param name="Attachments">Its files, in the uploader's order.</param>
/// <param name="Reactions">By emoji, in the order in which each was first used.</param>
/// <param name="ClientMessageId">The id that the sender chose.</param>
/// <param name="Pinned">For everybody.</param>
/// <param name="Saved">Whether the viewer has saved it; null where there is no viewer, such as in events.</param>
/// <param name="DeliveredCount">Number of recipients who have received it, including those who have read it.</param>
/// <param name="ReadCount">Number of recipients who have read it.</param>
/// <param name="RecipientCount">Current participants who joined before it was sent, without its sender.</param>
/// <param name="Version">Rises with every edit; the ETag.</param>
public sealed record MessageView(
    MessageId Id,
    ConversationId ConversationId,
    long Seq,
    MessageType Type,
    UserId? SenderId,
    SenderView? Sender,
    string? Text,
    JsonText? Metadata,
    MessageLocation? Location,
    MessageReference? Reference,
    ReplyView? ReplyTo,
    IReadOnlyList<UserId> Mentions,
    IReadOnlyList<AttachmentView> Attachments,
    IReadOnlyList<ReactionView> Reactions,
    string? ClientMessageId,
    bool Pinned,
    bool? Saved,
    int EditCount,
    Instant? EditedAt,
    DeletedView? Deleted,
    int DeliveredCount,
    int ReadCount,
    int RecipientCount,
    Instant CreatedAt,
    long Version) : IShowsMessage
{
    long? IShowsMessage.ShownSeq => ReplyTo?.Seq;

    object IShowsMessage.WithoutShown() => this with { ReplyTo = null };

    /// <summary>A message with what hangs on it: the one place where it comes together. The last ones are those of a new one.</summary>
    internal static MessageView Of(
        MessageId id, ConversationId conversationId, long seq, MessageType type, UserId? senderId, SenderView? sender, string? text,
        JsonText? metadata, MessageLocation? location, MessageReference? reference, ReplyView? replyTo, IReadOnlyList<UserId> mentions,
        string? clientMessageId, Instant createdAt, MessageDetails details, int editCount = 0, Instant? editedAt = null,
        DeletedView? deleted = null, long version = 1) => new(
        id, conversationId, seq, type, senderId, sender, text, metadata, location, reference, replyTo, mentions, details.Attachments,
        details.Reactions, clientMessageId, details.Pinned, details.Saved, editCount, editedAt, deleted, details.DeliveredCount,
        details.ReadCount, details.RecipientCount, createdAt, version);

    /// <summary>What is left of it for who has deleted it for oneself. Whom it mentions stays, for who counts by the events.</summary>
    public MessageView WithoutContent(DeletedView deleted) => this with
    {
        Text = null, Metadata = null, Location = null, Reference = null, ReplyTo = null, Attachments = [], Reactions = [], Pinned = false,
        Deleted = deleted,
    };
}

/// <summary>What hangs on a message: filled by the parts of which each reads some of it.</summary>
public struct MessageDetails()
{
    public IReadOnlyList<AttachmentView> Attachments { get; set; } = [];

    public IReadOnlyList<ReactionView> Reactions { get; set; } = [];

    public bool Pinned { get; set; }

    public bool? Saved { get; set; }

    public int DeliveredCount { get; set; }

    public int ReadCount { get; set; }

    public int RecipientCount { get; set; }
}

/// <summary>The sender's profile as it is now.</summary>
public sealed record SenderView(UserId UserId, string? DisplayName, string? AvatarUrl);

/// <summary>The message that this one replies to.</summary>
/// <param name="Preview">The first 120 characters of its text; null once it is deleted.</param>
public sealed record ReplyView(MessageId Id, long Seq, UserId? SenderId, string? Preview, bool Deleted);

/// <summary>For whom a message is deleted.</summary>
public enum DeleteScope
{
    Everyone,

    /// <summary>For who deleted it alone; nobody else learns of it.</summary>
    Me,
}

/// <summary>When, by whom and why a message was deleted; it keeps its place in the conversation.</summary>
/// <param name="By">Null when the service deleted it.</param>
/// <param name="Scope">
/// <c>everyone</c> in a message; <c>me</c> only in events to a user who deleted it for themselves, and who no longer sees it.
/// </param>
public sealed record DeletedView(Instant At, UserId? By, DeleteReason Reason, DeleteScope Scope = DeleteScope.Everyone)
{
    internal static DeletedView Of(Deletion deletion) => new(deletion.At, deletion.By, deletion.Reason);
}
