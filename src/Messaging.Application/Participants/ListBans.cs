using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Domain.Common;

namespace Messaging.Application.Participants;

/// <summary>Who is kept out of a group, by user id; for those who administer it.</summary>
public sealed record ListBans(Actor Actor, ConversationId ConversationId, string? Cursor, int Limit) : IQuery<Page<BanView>>;

public sealed class ListBansValidator : AbstractValidator<ListBans>
{
    public ListBansValidator() =>
        RuleFor(q => q.Limit).InclusiveBetween(1, PageCursor.MaxLimit).WithMessage("A page has 1 to 100 items.");
}

public sealed class ListBansHandler(ConversationStore conversations, BanStore bans) : IRequestHandler<ListBans, Page<BanView>>
{
    public async Task<Page<BanView>> Handle(ListBans query, CancellationToken ct)
    {
        var (conversation, actor) = await conversations.GetAsync(query.ConversationId, query.Actor, ct);
        conversation.EnsureGroup();
        actor?.EnsureAdministers();

        var after = query.Cursor is null ? "" : PageCursor.Decode(query.Cursor, 1)[0];
        var rows = await bans.ListAsync(query.ConversationId, after, query.Limit + 1, ct);
        return Page.Of(rows, query.Limit, ban => PageCursor.Encode(ban.User.UserId.Value));
    }
}
