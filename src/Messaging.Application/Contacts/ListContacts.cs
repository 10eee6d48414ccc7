using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Common;
using Messaging.Domain.Contacts;

namespace Messaging.Application.Contacts;

/// <summary>One's contacts, and questions either way, by user id.</summary>
public sealed record ListContacts(Actor Actor, ContactStatus? Status, string? Cursor, int Limit) : IQuery<Page<ContactView>>;

public sealed class ListContactsValidator : AbstractValidator<ListContacts>
{
    public ListContactsValidator() =>
        RuleFor(q => q.Limit).InclusiveBetween(1, PageCursor.MaxLimit).WithMessage("A page has 1 to 100 items.");
}

public sealed class ListContactsHandler(ContactStore contacts) : IRequestHandler<ListContacts, Page<ContactView>>
{
    public async Task<Page<ContactView>> Handle(ListContacts query, CancellationToken ct)
    {
        var after = query.Cursor is null ? "" : PageCursor.Decode(query.Cursor, 1)[0];
        var rows = await contacts.ListAsync(query.Actor.RequireUser(), query.Status, after, query.Limit + 1, ct);
        return Page.Of(rows, query.Limit, contact => PageCursor.Encode(contact.User.UserId.Value));
    }
}
