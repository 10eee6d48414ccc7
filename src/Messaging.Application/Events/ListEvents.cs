using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Common;

namespace Messaging.Application.Events;

/// <summary>What happened after a cursor, for the one who asks.</summary>
public sealed record ListEvents(Actor Actor, string Since, int Limit) : IQuery<EventPage>
{
    public const int DefaultLimit = 100;
}

public sealed class ListEventsValidator : AbstractValidator<ListEvents>
{
    public ListEventsValidator() => RuleFor(query => query.Limit).IsEventLimit();
}

static class EventLimit
{
    public static IRuleBuilderOptions<T, int> IsEventLimit<T>(this IRuleBuilder<T, int> limit) =>
        limit.InclusiveBetween(1, 100).WithMessage("The limit is 1 to 100.");
}

public sealed class ListEventsHandler(EventStore events) : IRequestHandler<ListEvents, EventPage>
{
    public Task<EventPage> Handle(ListEvents query, CancellationToken ct) =>
        events.ReadAsync(query.Actor, FeedCursor.Parse(query.Since, "since"), query.Limit, ct);
}
