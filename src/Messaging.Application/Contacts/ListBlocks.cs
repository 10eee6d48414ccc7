using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Common;

namespace Messaging.Application.Contacts;

/// <summary>List the users you have blocked, by user id.</summary>
public sealed record ListBlocks(Actor Actor, string? Cursor, int Limit) : IQuery<Page<BlockView>>;

public sealed class ListBlocksValidator : AbstractValidator<ListBlocks>
{
    public ListBlocksValidator() =>
        RuleFor(q => q.Limit).InclusiveBetween(1, PageCursor.MaxLimit).WithMessage("A page has 1 to 100 items.");
}

public sealed class ListBlocksHandler(BlockStore blocks) : IRequestHandler<ListBlocks, Page<BlockView>>
{
    public async Task<Page<BlockView>> Handle(ListBlocks query, CancellationToken ct)
    {
        var after = query.Cursor is null ? "" : PageCursor.Decode(query.Cursor, 1)[0];
        var rows = await blocks.ListAsync(query.Actor.RequireUser(), after, only: null, query.Limit + 1, ct);
        return Page.Of(rows, query.Limit, block => PageCursor.Encode(block.User.UserId.Value));
    }
}
