using System.Globalization;
using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Messages;
using NodaTime;

namespace Messaging.Application.Messages;

/// <summary>What a message said before it was edited, the newest of it first. Of a deleted message this is for the service alone.</summary>
public sealed record ListEdits(Actor Actor, ConversationId ConversationId, MessageId MessageId, string? Cursor, int Limit)
    : IQuery<Page<EditView>>;

/// <summary>An earlier version of a message.</summary>
/// <param name="Version">The version that it was.</param>
/// <param name="EditedBy">Who replaced it; null for the service.</param>
/// <param name="EditedAt">When.</param>
public sealed record EditView(long Version, string? Text, JsonText? Metadata, UserId? EditedBy, Instant EditedAt);

public sealed class ListEditsValidator : AbstractValidator<ListEdits>
{
    public ListEditsValidator() =>
        RuleFor(q => q.Limit).InclusiveBetween(1, PageCursor.MaxLimit).WithMessage("A page has 1 to 100 items.");
}

public sealed class ListEditsHandler(DbSession session, ConversationStore conversations, MessageLookupStore places)
    : IRequestHandler<ListEdits, Page<EditView>>
{
    // Who has left by now, and a message that is deleted by now, are looked at here too. Index: pk_message_edits; pk_messages;
    // pk_participants.
    private const string PageSql =
        $"""
        SELECT e.version, e.text, e.metadata, e.edited_by, e.edited_at
        FROM message_edits e
        WHERE e.conversation_id = @ConversationId AND e.seq = @Seq AND e.version < @Before AND {ConversationStore.Visible}
            AND (@UserId::text IS NULL OR NOT EXISTS (
                SELECT FROM message_gaps g
                WHERE g.conversation_id = @ConversationId AND g.seq = @Seq AND g.deletion IS NOT NULL))
        ORDER BY e.version DESC
        LIMIT @Take
        """;

    public async Task<Page<EditView>> Handle(ListEdits query, CancellationToken ct)
    {
        var before = query.Cursor is null ? long.MaxValue : Decode(query.Cursor);
        var (conversation, _) = await conversations.GetAsync(query.ConversationId, query.Actor, ct);
        var message = await places.GetAsync(query.ConversationId, query.MessageId, query.Actor, ct);
        if (!query.Actor.IsService && conversation.Policy.EditHistory is EditHistoryAccess.Moderators)
            throw MessageErrors.HistoryIsForModerators();

        var rows = await session.QueryAsync<EditView>(
            PageSql,
            new
            {
                ConversationId = query.ConversationId.Value,
                message.Seq,
                UserId = query.Actor.UserId?.Value,
                Before = before,
                Take = query.Limit + 1,
            },
            ct);
        return Page.Of(rows, query.Limit, row => PageCursor.Encode(row.Version.ToString(CultureInfo.InvariantCulture)));
    }

    private static long Decode(string cursor) =>
        long.TryParse(PageCursor.Decode(cursor, 1)[0], NumberStyles.None, CultureInfo.InvariantCulture, out var version)
            ? version
            : throw PageCursor.Malformed();
}
