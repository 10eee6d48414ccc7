using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using NodaTime;

namespace Messaging.Application.Webhooks;

/// <summary>Has a webhook's deliveries of a time sent again, oldest first, a thousand at most.</summary>
/// <param name="From">From when on they were made; all earlier ones as well when null.</param>
/// <param name="To">Before when they were made; all later ones as well when null.</param>
[OneTransaction("the lanes are locked before the deliveries that wait in them")]
public sealed record RedeliverRange(Guid WebhookId, Instant? From, Instant? To, WebhookDeliveryState State)
    : ITransactionCommand<Redelivered>
{
    public const int Limit = 1_000;
}

/// <summary>How many are sent again.</summary>
/// <param name="NextFrom">Where to go on, as <c>from</c> of the next call; null once there are no more.</param>
public sealed record Redelivered(int Count, Instant? NextFrom);

public sealed class RedeliverRangeValidator : AbstractValidator<RedeliverRange>
{
    public RedeliverRangeValidator()
    {
        RuleFor(r => r.State).NotEqual(WebhookDeliveryState.Pending)
            .WithMessage("What is pending is sent anyway; parked or delivered is expected.");
        RuleFor(r => r.To).Must((range, to) => to is null || range.From is null || range.From < to)
            .WithMessage("The time must be after from.");
    }
}

public sealed class RedeliverRangeHandler(DbSession session, DeliveryStore deliveries) : IRequestHandler<RedeliverRange, Redelivered>
{
    // Index: ix_webhook_deliveries_log.
    private const string FindSql =
        """
        SELECT d.id, d.lane, d.created_at
        FROM webhook_deliveries d
        WHERE d.webhook_id = @WebhookId AND d.state = @State
            AND d.created_at >= coalesce(@From, '-infinity'::timestamptz) AND d.created_at < coalesce(@To, 'infinity'::timestamptz)
        ORDER BY d.created_at, d.position, d.id
        LIMIT @Take
        """;

    public async Task<Redelivered> Handle(RedeliverRange command, CancellationToken ct)
    {
        await deliveries.EnsureKnownAsync(command.WebhookId, ct);
        var state = command.State.ToString().ToLowerInvariant();
        var found = await session.QueryAsync<FoundRow>(
            FindSql, new { command.WebhookId, State = state, command.From, command.To, Take = RedeliverRange.Limit + 1 }, ct);
        var taken = found.Take(RedeliverRange.Limit).Select(row => new AskedDelivery(row.Id, command.WebhookId, row.Lane)).ToList();
        var again = await deliveries.SendAgainAsync(taken, ct);
        return new Redelivered(again.Count, found.Count > taken.Count ? found[^1].CreatedAt : null);
    }

    private sealed record FoundRow(Guid Id, Guid Lane, Instant CreatedAt);
}
