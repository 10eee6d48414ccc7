using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Messages;
using Messaging.Domain.Common;
using Messaging.Domain.Moderation;
using NodaTime;

namespace Messaging.Application.Moderation;

public enum ReportStatus
{
    Open,
    Resolved,
}

/// <summary>What a moderator did about a report.</summary>
public enum ReportAction
{
    Dismiss,
    DeleteMessage,
    BanUser,
    CloseConversation,
}

/// <summary>
/// Tells the moderators of a message that somebody else has written. As long as one's first report of it is open, that one stands.
/// </summary>
/// <param name="Note">Up to 1,000 characters.</param>
[OneTransaction("the report is read back as it was written")]
public sealed record ReportMessage(Actor Actor, ConversationId ConversationId, MessageId MessageId, ReportReason Reason, string? Note)
    : ITransactionCommand<Upserted<ReportView>>;

/// <summary>A message reported to the moderators.</summary>
/// <param name="Resolution">What the moderators did; null while it is open.</param>
public sealed record ReportView(
    Guid Id, MessageView Message, SenderView Reporter, ReportReason Reason, string? Note, ReportStatus Status, ResolutionView? Resolution,
    Instant CreatedAt);

/// <summary>What was done about a report.</summary>
/// <param name="By">Null for the service.</param>
public sealed record ResolutionView(ReportAction Action, UserId? By, Instant At, string? Note);

public sealed class ReportMessageValidator : AbstractValidator<ReportMessage>
{
    private const int NoteLength = 1_000;

    public ReportMessageValidator() =>
        RuleFor(c => c.Note).Must(note => note is null || StrictText.Length(note) is >= 1 and <= NoteLength)
            .WithMessage($"A note has 1 to {NoteLength} characters.");
}

public sealed class ReportMessageHandler(DbSession session, MessageLookupStore places, MessageReader views, IClock clock)
    : IRequestHandler<ReportMessage, Upserted<ReportView>>
{
    // Another one that is open clashes in uq_reports_open. Index: pk_participants.
    private const string AddSql =
        $"""
        INSERT INTO reports (id, conversation_id, seq, message_id, sent_at, reporter_id, reason, note, created_at)
        SELECT @Id, @ConversationId, @Seq, @MessageId, @SentAt, @UserId, @Reason, @Note, @Now
        WHERE {ConversationStore.Visible}
        ON CONFLICT (conversation_id, seq, reporter_id) WHERE status = 'open' DO NOTHING
        """;

    // Index: uq_reports_open, pk_users.
    private const string OpenSql =
        """
        SELECT r.id, r.reason, r.note, r.created_at, u.display_name, u.avatar_url
        FROM reports r
        JOIN users u ON u.id = r.reporter_id
        WHERE r.conversation_id = @ConversationId AND r.seq = @Seq AND r.reporter_id = @UserId AND r.status = 'open'
        """;

    public async Task<Upserted<ReportView>> Handle(ReportMessage command, CancellationToken ct)
    {
        var (user, now) = (command.Actor.RequireUser(), clock.GetCurrentInstant());
        var message = await places.GetAsync(command.ConversationId, command.MessageId, command.Actor, ct);
        var report = Report.File(command.ConversationId, message, user, command.Reason, command.Note, now);

        var stored = new
        {
            report.Id,
            ConversationId = report.ConversationId.Value,
            message.Seq,
            MessageId = message.Id.Value,
            SentAt = message.CreatedAt,
            UserId = report.ReporterId.Value,
            Reason = report.Reason.ToString().ToLowerInvariant(),
            report.Note,
            Now = report.CreatedAt,
        };
        var created = await session.ExecuteAsync(AddSql, stored, ct) > 0;
        var row = await session.QuerySingleOrDefaultAsync<Row>(OpenSql, stored, ct) ?? throw CommonErrors.NotFound();
        var view = await views.GetAsync(command.ConversationId, message.Seq, command.Actor, ct);
        return new Upserted<ReportView>(row.ToView(view, user), created);
    }

    private sealed record Row(Guid Id, ReportReason Reason, string? Note, Instant CreatedAt, string? DisplayName, string? AvatarUrl)
    {
        public ReportView ToView(MessageView message, UserId reporter) => new(
            Id, message, new SenderView(reporter, DisplayName, AvatarUrl), Reason, Note, ReportStatus.Open, Resolution: null, CreatedAt);
    }
}
