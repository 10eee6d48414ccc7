using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Receipts;
using Messaging.Domain.Common;

namespace Messaging.Application.Events;

/// <summary>A state to start from, and the cursor behind which its changes follow.</summary>
/// <param name="Limit">Of the events that follow: a wrong one is refused before there are any.</param>
public sealed record GetSnapshot(Actor Actor, int Limit) : IQuery<Snapshot>;

/// <summary>
/// All of one moment of the database. What was committed by then but had no place in the feed yet is in the data already and follows
/// as an event as well, so clients apply events by their seq.
/// </summary>
/// <param name="Conversations">The first page of the inbox; null for the service.</param>
/// <param name="Unread">The badge; null for the service.</param>
public sealed record Snapshot(Page<ConversationView>? Conversations, UnreadTotal? Unread, FeedCursor Cursor);

public sealed class GetSnapshotValidator : AbstractValidator<GetSnapshot>
{
    public GetSnapshotValidator() => RuleFor(query => query.Limit).IsEventLimit();
}

public sealed class GetSnapshotHandler(
    DbSession session,
    EventStore events,
    IRequestHandler<ListInbox, Page<ConversationView>> inbox,
    IRequestHandler<GetUnread, UnreadTotal> unread) : IRequestHandler<GetSnapshot, Snapshot>
{
    public async Task<Snapshot> Handle(GetSnapshot query, CancellationToken ct)
    {
        if (query.Actor.IsService)
            return new Snapshot(null, null, await events.NewestAsync(ct));

        await session.BeginSnapshotAsync(ct);
        try
        {
            var cursor = await events.NewestAsync(ct);
            var firstPage = new ListInbox(query.Actor, InboxFilter.All, null, null, null, null, PageCursor.DefaultLimit);
            return new Snapshot(await inbox.Handle(firstPage, ct), await unread.Handle(new GetUnread(query.Actor), ct), cursor);
        }
        finally
        {
            await session.RollbackAsync();
        }
    }
}
