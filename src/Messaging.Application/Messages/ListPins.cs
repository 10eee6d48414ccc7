using System.Globalization;
using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Messages;

/// <summary>List the pinned messages of a conversation, newest pin first.</summary>
public sealed record ListPins(Actor Actor, ConversationId ConversationId, string? Cursor, int Limit) : IQuery<Page<PinView>>;

public sealed class ListPinsValidator : AbstractValidator<ListPins>
{
    public ListPinsValidator() =>
        RuleFor(q => q.Limit).InclusiveBetween(1, PageCursor.MaxLimit).WithMessage("A page has 1 to 100 items.");
}

public sealed class ListPinsHandler(ConversationStore conversations, PinStore pins) : IRequestHandler<ListPins, Page<PinView>>
{
    public async Task<Page<PinView>> Handle(ListPins query, CancellationToken ct)
    {
        var (time, seq) = query.Cursor is null ? (PinStore.EndOfTime, long.MaxValue) : Decode(query.Cursor);
        await conversations.GetAsync(query.ConversationId, query.Actor, ct);
        var page = Page.Of(await pins.ListAsync(query.ConversationId, query.Actor, time, seq, query.Limit + 1, ct), query.Limit, Encode);
        return new Page<PinView>(await pins.ViewAsync(page.Items, query.Actor, ct), page.NextCursor);
    }

    private static string Encode(PinStore.Row row) => PageCursor.Encode(
        row.PinnedAt.ToUnixTimeTicks().ToString(CultureInfo.InvariantCulture), row.Seq.ToString(CultureInfo.InvariantCulture));

    private static (Instant Time, long Seq) Decode(string cursor)
    {
        var parts = PageCursor.Decode(cursor, 2);
        return long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var ticks)
            && ticks <= PinStore.EndOfTime.ToUnixTimeTicks()
            && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var seq)
            ? (Instant.FromUnixTimeTicks(ticks), seq)
            : throw PageCursor.Malformed();
    }
}
