using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Common;
using Messaging.Domain.Contacts;

namespace Messaging.Application.Contacts;

public enum RequestDirection
{
    In,
    Out,
}

/// <summary>First messages that others wait with for one's answer, or oneself for theirs; the newest first.</summary>
public sealed record ListRequests(Actor Actor, RequestDirection Direction, RequestStatus? Status, string? Cursor, int Limit)
    : IQuery<Page<MessageRequestView>>;

public sealed class ListRequestsValidator : AbstractValidator<ListRequests>
{
    public ListRequestsValidator() =>
        RuleFor(q => q.Limit).InclusiveBetween(1, PageCursor.MaxLimit).WithMessage("A page has 1 to 100 items.");
}

public sealed class ListRequestsHandler(RequestStore requests) : IRequestHandler<ListRequests, Page<MessageRequestView>>
{
    private static readonly Guid End = Guid.ParseExact("ffffffff-ffff-ffff-ffff-ffffffffffff", "D");

    public async Task<Page<MessageRequestView>> Handle(ListRequests query, CancellationToken ct)
    {
        var before = query.Cursor is null ? End
            : Guid.TryParse(PageCursor.Decode(query.Cursor, 1)[0], out var id) ? id : throw PageCursor.Malformed();
        var rows = await requests.ListAsync(
            query.Actor.RequireUser(), query.Direction is RequestDirection.Out, query.Status, before, query.Limit + 1, ct);
        return Page.Of(rows, query.Limit, request => PageCursor.Encode(request.Id.ToString()));
    }
}
