using System.Globalization;
using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Common;

namespace Messaging.Application.Messages;

/// <summary>List the replies to a message, oldest first; also of one that is deleted by now.</summary>
public sealed record ListReplies(Actor Actor, ConversationId ConversationId, MessageId MessageId, string? Cursor, int Limit)
    : IQuery<Page<MessageView>>;

public sealed class ListRepliesValidator : AbstractValidator<ListReplies>
{
    public ListRepliesValidator() =>
        RuleFor(q => q.Limit).InclusiveBetween(1, PageCursor.MaxLimit).WithMessage("A page has 1 to 100 items.");
}

public sealed class ListRepliesHandler(DbSession session, MessageLookupStore places, MessageReader messages)
    : IRequestHandler<ListReplies, Page<MessageView>>
{
    // Index: ix_messages_replies, from the cursor on, in the months since the message; pk_participants; pk_message_hidden.
    private const string PageSql =
        $"""
        SELECT m.conversation_id, m.seq, m.created_at
        FROM messages m
        LEFT JOIN participants p ON p.conversation_id = @ConversationId AND p.user_id = @UserId AND {VisibilitySql.TakesPart}
        WHERE m.conversation_id = @ConversationId AND m.reply_to_seq = @Seq AND m.seq > @After AND m.created_at >= @CreatedAt
            AND (@UserId::text IS NULL OR ({VisibilitySql.Seen}))
        ORDER BY m.seq
        LIMIT @Take
        """;

    public async Task<Page<MessageView>> Handle(ListReplies query, CancellationToken ct)
    {
        var after = query.Cursor is null ? 0 : Decode(query.Cursor);
        var message = await places.GetAsync(query.ConversationId, query.MessageId, query.Actor, ct);
        var found = await session.QueryAsync<MessageKey>(
            PageSql,
            new
            {
                ConversationId = query.ConversationId.Value,
                message.Seq,
                message.CreatedAt,
                UserId = query.Actor.UserId?.Value,
                After = after,
                Take = query.Limit + 1,
            },
            ct);
        var page = Page.Of(found, query.Limit, place => PageCursor.Encode(place.Seq.ToString(CultureInfo.InvariantCulture)));
        return new Page<MessageView>(await messages.ListAsync(page.Items, query.Actor, ct), page.NextCursor);
    }

    private static long Decode(string cursor) =>
        long.TryParse(PageCursor.Decode(cursor, 1)[0], NumberStyles.None, CultureInfo.InvariantCulture, out var seq)
            ? seq : throw PageCursor.Malformed();
}
