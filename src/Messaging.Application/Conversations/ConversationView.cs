using Messaging.Application.Common;
using Messaging.Application.Events;
using Messaging.Application.Participants;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Messages;
using Messaging.Domain.Participants;
using NodaTime;

namespace Messaging.Application.Conversations;

/// <summary>A conversation as its viewer sees it.</summary>
/// <param name="Participants">Both in a direct conversation; the first ten by user id in a group.</param>
/// <param name="LastActivityAt">Time of the newest message, or of creation.</param>
/// <param name="Version">Rises with every change except messages and pointers; the ETag.</param>
/// <param name="Me">The viewer's own membership; null in events and for the service.</param>
public sealed record ConversationView(
    ConversationId Id,
    ConversationType Type,
    string? Name,
    string? Description,
    string? AvatarUrl,
    string? Slug,
    UserId? OwnerId,
    UserId? CreatedBy,
    ConversationContext? Context,
    JsonText? Metadata,
    ConversationPolicy Policy,
    int ParticipantCount,
    IReadOnlyList<ParticipantView> Participants,
    long LastSeq,
    MessagePreview? LastMessage,
    Instant LastActivityAt,
    ClosedView? Closed,
    bool Archived,
    Instant CreatedAt,
    Instant UpdatedAt,
    long Version,
    MembershipView? Me) : IShowsMessage
{
    long? IShowsMessage.ShownSeq => LastMessage?.Seq;

    object IShowsMessage.WithoutShown() => this with { LastMessage = null };
}

/// <summary>The viewer's own membership.</summary>
/// <param name="UnreadCount">Messages after the read pointer, without the viewer's own, system and deleted ones.</param>
/// <param name="Archived">Archived by the viewer; the next message brings it back, unless it is muted.</param>
/// <param name="MutedUntil">Null once the time is over; the end of the year 9999 means forever.</param>
/// <param name="ClearedSeq">Messages up to this seq are not visible: sent before the viewer joined, or cleared.</param>
/// <param name="Hidden">Removed from the inbox; the next message brings it back.</param>
/// <param name="CountedAt">Deletions up to this time are already in the counts: do not count their events again.</param>
public sealed record MembershipView(
    ParticipantRole Role,
    long UnreadCount,
    long MentionCount,
    long LastReadSeq,
    long LastDeliveredSeq,
    Instant JoinedAt,
    bool Archived,
    bool Starred,
    Instant? MutedUntil,
    NotificationLevel NotificationLevel,
    ColorTag? ColorTag,
    string? CustomLabel,
    bool ShowReadReceipts,
    bool Desktop,
    bool Mobile,
    bool Sound,
    string? Draft,
    long ClearedSeq,
    bool Hidden,
    Instant CountedAt);

/// <summary>A short preview of a message.</summary>
/// <param name="Text">Its first 120 characters; null once it is deleted.</param>
public sealed record MessagePreview(
    MessageId Id, long Seq, MessageType Type, UserId? SenderId, string? Text, bool Deleted, Instant CreatedAt);

/// <summary>When, by whom and why a conversation was closed.</summary>
public sealed record ClosedView(Instant At, UserId? By, string Reason, string? Note);
