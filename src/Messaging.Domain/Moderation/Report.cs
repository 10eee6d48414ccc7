using Messaging.Domain.Common;
using Messaging.Domain.Messages;
using NodaTime;

namespace Messaging.Domain.Moderation;

/// <summary>What is wrong with a message, for the moderators.</summary>
public enum ReportReason
{
    Spam,
    Abuse,
    Harassment,
    Illegal,
    Other,
}

/// <summary>
/// That somebody has told the moderators of a message that another one has written. Of one message by one user a single one is open: that
/// stands in <c>uq_reports_open</c>, since two may be made at once.
/// </summary>
public sealed class Report
{
    private Report(ConversationId conversationId, StoredMessage message, UserId reporter, ReportReason reason, string? note, Instant now)
    {
        Id = Guid.CreateVersion7(now.ToDateTimeOffset());
        (ConversationId, Message, ReporterId, Reason, Note, CreatedAt) = (conversationId, message, reporter, reason, note, now);
    }

    public Guid Id { get; }

    public ConversationId ConversationId { get; }

    public StoredMessage Message { get; }

    public UserId ReporterId { get; }

    public ReportReason Reason { get; }

    public string? Note { get; }

    public Instant CreatedAt { get; }

    /// <summary>Files one; refuses a report of what is deleted, and of what nobody else has written.</summary>
    public static Report File(
        ConversationId conversationId, StoredMessage message, UserId reporter, ReportReason reason, string? note, Instant now)
    {
        message.EnsureNotDeleted();
        if (message.SenderId is null || message.SenderId == reporter)
            throw MessageErrors.NotToBeReported();
        return new Report(conversationId, message, reporter, reason, note, now);
    }
}
