using System.Globalization;
using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using NodaTime;
using NodaTime.Text;

namespace Messaging.Application.Webhooks;

/// <summary>What a webhook was and will be told, newest first.</summary>
/// <param name="State">Those in one state; all when null.</param>
public sealed record ListDeliveries(Guid WebhookId, WebhookDeliveryState? State, int Limit, string? Cursor) : IQuery<Page<DeliveryView>>;

public sealed class ListDeliveriesValidator : AbstractValidator<ListDeliveries>
{
    public ListDeliveriesValidator() =>
        RuleFor(r => r.Limit).InclusiveBetween(1, PageCursor.MaxLimit).WithMessage("A page has 1 to 100 items.");
}

public sealed class ListDeliveriesHandler(DbSession session, DeliveryStore deliveries)
    : IRequestHandler<ListDeliveries, Page<DeliveryView>>
{
    // Index: ix_webhook_deliveries_log, backwards in each of the states.
    private const string PageSql =
        $"""
        SELECT {StoredDelivery.Columns}
        FROM unnest(@States::text[]) AS s (state)
        CROSS JOIN LATERAL (
            SELECT {StoredDelivery.Columns}
            FROM webhook_deliveries d
            WHERE d.webhook_id = @WebhookId AND d.state = s.state
                AND (d.created_at, d.position, d.id) < (@CreatedAt::timestamptz, @Position::bigint, @Id::uuid)
            ORDER BY d.created_at DESC, d.position DESC, d.id DESC
            LIMIT @Take
        ) d
        ORDER BY d.created_at DESC, d.position DESC, d.id DESC
        LIMIT @Take
        """;

    private static readonly InstantPattern Pattern = InstantPattern.ExtendedIso;

    private static readonly WebhookDeliveryState[] All = Enum.GetValues<WebhookDeliveryState>();

    public async Task<Page<DeliveryView>> Handle(ListDeliveries query, CancellationToken ct)
    {
        var (createdAt, position, id) = PlaceOf(query.Cursor);
        await deliveries.EnsureKnownAsync(query.WebhookId, ct);
        var states = query.State is { } state ? [state] : All;
        var rows = await session.QueryAsync<StoredDelivery>(
            PageSql,
            new
            {
                query.WebhookId,
                States = Array.ConvertAll(states, one => one.ToString().ToLowerInvariant()),
                CreatedAt = createdAt,
                Position = position,
                Id = id,
                Take = query.Limit + 1,
            },
            ct);
        var page = Page.Of(rows, query.Limit, CursorOf);
        return new Page<DeliveryView>([.. page.Items.Select(row => row.ToView())], page.NextCursor);
    }

    private static string CursorOf(StoredDelivery row) => PageCursor.Encode(
        Pattern.Format(row.CreatedAt), row.Position.ToString(CultureInfo.InvariantCulture), row.Id.ToString());

    private static (Instant CreatedAt, long Position, Guid Id) PlaceOf(string? cursor)
    {
        if (cursor is null)
            return (Instant.FromUtc(9999, 1, 1, 0, 0), long.MaxValue, Guid.AllBitsSet);
        var parts = PageCursor.Decode(cursor, 3);
        return Pattern.Parse(parts[0]) is { Success: true } time
            && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var position)
            && Guid.TryParse(parts[2], out var id)
            ? (time.Value, position, id)
            : throw PageCursor.Malformed();
    }
}
