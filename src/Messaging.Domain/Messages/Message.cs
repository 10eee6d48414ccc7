using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Participants;
using NodaTime;

namespace Messaging.Domain.Messages;

public enum MessageType
{
    Text,
    Image,

    /// <summary>Files of any kind.</summary>
    File,

    /// <summary>A recording of somebody speaking.</summary>
    Voice,

    Video,
    Location,

    /// <summary>Something of the host product's own.</summary>
    Shared,

    /// <summary>Of the service, or of this product's own making.</summary>
    System,
}

/// <summary>A message to send, its shape already checked.</summary>
/// <param name="ClientMessageId">Chosen by the sender: the same id twice is one message.</param>
/// <param name="Metadata">A JSON object as text.</param>
public sealed record MessageDraft(
    string? ClientMessageId, MessageType Type, string? Text, string? Metadata, MessageId? ReplyToId, IReadOnlyList<UserId> Mentions,
    MessageLocation? Location = null, MessageReference? Reference = null, IReadOnlyList<AttachmentId>? AttachmentIds = null)
{
    public bool HasAttachments => AttachmentIds is { Count: > 0 };
}

/// <summary>A message that may be stored. Its seq and time are given by the conversation's row, under its lock.</summary>
public sealed class Message
{
    private Message(MessageId id, Conversation conversation, Actor sender, MessageDraft draft)
    {
        Id = id;
        ConversationId = conversation.Id;
        Sender = sender;
        Draft = draft;
    }

    public MessageId Id { get; }

    public ConversationId ConversationId { get; }

    public Actor Sender { get; }

    public MessageDraft Draft { get; }

    /// <summary>Decides whether a participant or the service may send the draft to the conversation.</summary>
    /// <param name="participant">The sender's membership; null for the service.</param>
    /// <param name="present">The mentioned users who are participants.</param>
    public static Message Compose(
        Conversation conversation, Actor sender, Participant? participant, MessageDraft draft, IReadOnlySet<UserId> present, Instant now)
    {
        conversation.EnsureAcceptsMessage(participant, now);
        if (draft.Type is MessageType.System && !sender.IsService)
            throw MessageErrors.SystemIsForTheService();
        if (draft.Type is not MessageType.System && sender.IsService)
            throw MessageErrors.ServiceSendsSystemOnly();
        MentionRules.Ensure(conversation, participant, draft.Mentions, present);
        return new Message(MessageId.New(now), conversation, sender, draft);
    }
}
