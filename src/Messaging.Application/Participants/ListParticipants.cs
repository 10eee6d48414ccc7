using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Domain.Common;
using Messaging.Domain.Participants;

namespace Messaging.Application.Participants;

/// <summary>Who takes part now, by user id.</summary>
/// <param name="Name">Part of the display name.</param>
public sealed record ListParticipants(
    Actor Actor, ConversationId ConversationId, ParticipantRole? Role, string? Name, string? Cursor, int Limit)
    : IQuery<Page<ParticipantView>>;

public sealed class ListParticipantsValidator : AbstractValidator<ListParticipants>
{
    public ListParticipantsValidator() =>
        RuleFor(q => q.Limit).InclusiveBetween(1, PageCursor.MaxLimit).WithMessage("A page has 1 to 100 items.");
}

public sealed class ListParticipantsHandler(DbSession session, PolicySettings policies)
    : IRequestHandler<ListParticipants, Page<ParticipantView>>
{
    // Index: pk_participants, from the cursor on.
    private const string PageSql =
        $"""
        SELECT {ParticipantViewStore.Columns}
        FROM participants p
        JOIN conversations c ON c.id = @ConversationId
        JOIN users u ON u.id = p.user_id
        WHERE p.conversation_id = @ConversationId AND p.left_at IS NULL AND p.user_id > @After
            AND (@Role::text IS NULL OR p.role = @Role) AND (@Pattern::text IS NULL OR u.display_name ILIKE @Pattern)
                AND {ConversationStore.Visible}
        ORDER BY p.user_id
        LIMIT @Take
        """;

    // Tells a conversation without anybody on this page from one that the caller cannot see.
    private const string ExistsSql =
        $"""
        SELECT EXISTS (SELECT FROM conversations WHERE id = @ConversationId AND {ConversationStore.Visible})
        """;

    public async Task<Page<ParticipantView>> Handle(ListParticipants query, CancellationToken ct)
    {
        var parameters = new
        {
            ConversationId = query.ConversationId.Value,
            UserId = query.Actor.UserId?.Value,
            After = query.Cursor is null ? "" : PageCursor.Decode(query.Cursor, 1)[0],
            Role = query.Role?.ToString().ToLowerInvariant(),
            Pattern = query.Name is null ? null : "%" + LikePattern.Escape(query.Name) + "%",
            Take = query.Limit + 1,
            policies.Receipts,
        };
        var rows = await session.QueryAsync<ParticipantView>(PageSql, parameters, ct);
        if (rows.Count == 0 && !await session.QuerySingleAsync<bool>(ExistsSql, parameters, ct))
            throw CommonErrors.NotFound();
        return Page.Of(rows, query.Limit, view => PageCursor.Encode(view.UserId.Value));
    }
}
