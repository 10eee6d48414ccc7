using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Messages;
using Messaging.Domain.Common;

namespace Messaging.Application.Reactions;

/// <summary>List who reacted to a message, by user id.</summary>
/// <param name="Emoji">Those with this one alone.</param>
public sealed record ListReactions(
    Actor Actor, ConversationId ConversationId, MessageId MessageId, string? Emoji, string? Cursor, int Limit) : IQuery<Page<ReactionItem>>;

public sealed class ListReactionsValidator : AbstractValidator<ListReactions>
{
    public ListReactionsValidator()
    {
        RuleFor(q => q.Limit).InclusiveBetween(1, PageCursor.MaxLimit).WithMessage("A page has 1 to 100 items.");
        RuleFor(q => q.Emoji).IsEmoji();
    }
}

public sealed class ListReactionsHandler(MessageLookupStore places, ReactionStore reactions)
    : IRequestHandler<ListReactions, Page<ReactionItem>>
{
    public async Task<Page<ReactionItem>> Handle(ListReactions query, CancellationToken ct)
    {
        var after = query.Cursor is null ? ["", ""] : PageCursor.Decode(query.Cursor, 2);
        var place = await places.GetAsync(query.ConversationId, query.MessageId, query.Actor, ct);
        var items = await reactions.ListAsync(
            query.ConversationId, place.Seq, query.Actor, query.Emoji is null ? null : Emoji.Of(query.Emoji), after[0], after[1],
            query.Limit + 1, ct);
        return Page.Of(items, query.Limit, item => PageCursor.Encode(item.User.UserId.Value, item.Emoji));
    }
}
