using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Common;

namespace Messaging.Application.Webhooks;

/// <summary>Has one delivery sent again, at once, with the id and the bytes that it has.</summary>
[OneTransaction("the lane is locked before the delivery that waits in it")]
public sealed record RedeliverOne(Guid DeliveryId) : ITransactionCommand<DeliveryView>;

public sealed class RedeliverOneHandler(DbSession session, DeliveryStore deliveries) : IRequestHandler<RedeliverOne, DeliveryView>
{
    // pk_webhook_deliveries, pk_webhooks.
    private const string FindSql =
        """
        SELECT d.id, d.webhook_id, d.lane
        FROM webhook_deliveries d
        JOIN webhooks w ON w.id = d.webhook_id
        WHERE d.id = @DeliveryId
        """;

    public async Task<DeliveryView> Handle(RedeliverOne command, CancellationToken ct)
    {
        var found = await session.QuerySingleOrDefaultAsync<AskedDelivery>(FindSql, new { command.DeliveryId }, ct)
            ?? throw CommonErrors.NotFound();
        // Gone meanwhile, once it has been over for long.
        var again = await deliveries.SendAgainAsync([found], ct);
        return again.Count == 1 ? again[0].ToView() : throw CommonErrors.NotFound();
    }
}
