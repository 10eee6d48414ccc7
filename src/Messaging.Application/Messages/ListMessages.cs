using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Receipts;
using Messaging.Application.Writing;
using Messaging.Domain.Common;

namespace Messaging.Application.Messages;

/// <summary>A part of the history: the newest, what came before or after a seq, or what surrounds one.</summary>
public sealed record ListMessages(Actor Actor, ConversationId ConversationId, long? Before, long? After, long? Around, int Limit)
    : IQuery<MessagePage>
{
    public const int DefaultLimit = 50;
}

public sealed class ListMessagesValidator : AbstractValidator<ListMessages>
{
    public ListMessagesValidator()
    {
        RuleFor(q => q.Limit).InclusiveBetween(1, PageCursor.MaxLimit).WithMessage("A page has 1 to 100 items.");
        RuleFor(q => q.Before).InclusiveBetween(0, long.MaxValue / 2).WithMessage("A seq is 0 or more.");
        RuleFor(q => q.After).InclusiveBetween(0, long.MaxValue / 2).WithMessage("A seq is 0 or more.");
        RuleFor(q => q.Around).InclusiveBetween(0, long.MaxValue / 2).WithMessage("A seq is 0 or more.");
        RuleFor(q => q.After).Null().When(q => q.Before is not null || q.Around is not null)
            .WithMessage("Only one of before, after and around may be given.");
        RuleFor(q => q.Around).Null().When(q => q.Before is not null)
            .WithMessage("Only one of before, after and around may be given.");
    }
}

public sealed class ListMessagesHandler(MessageReader views, ConversationWriter writer)
    : IRequestHandler<ListMessages, MessagePage>
{
    // What was fetched was received: the pointer moves where the page goes beyond it, and nothing is written where it does not.
    public async Task<MessagePage> Handle(ListMessages query, CancellationToken ct)
    {
        // Around the beginning or the end a page is still full.
        var upto = query.Around is { } around ? Math.Max(around + (query.Limit / 2), query.Limit) : query.Before - 1;
        var (page, received) = await views.ReceivePageAsync(query.ConversationId, query.Actor, upto, query.After, query.Limit, ct)
            ?? throw CommonErrors.NotFound();
        if (received is not null)
            await writer.RunAsync(new PointerChange(query.ConversationId, query.Actor.RequireUser(), reads: false, received), ct);
        return page;
    }
}
