using System.Text.Json;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Events;
using Messaging.Domain.Webhooks;
using NodaTime;

namespace Messaging.Application.Webhooks;

/// <summary>Has a delivery of no event sent, to see whether a receiver works.</summary>
[OneTransaction("the lane is there before the delivery that waits in it")]
public sealed record TestWebhook(Guid WebhookId) : ITransactionCommand<DeliveryView>;

/// <summary>The data of a test.</summary>
public sealed record TestedWebhook(Guid WebhookId);

public sealed class TestWebhookHandler(DbSession session, WebhookStore webhooks, DeliveryStore deliveries, IClock clock)
    : IRequestHandler<TestWebhook, DeliveryView>
{
    // A lane of its own, since it waits for nothing. It stands where the feed is.
    private const string MakeSql =
        $"""
        INSERT INTO webhook_deliveries AS d (id, webhook_id, lane, position, event_id, type, body, next_at, created_at)
        SELECT @Id, @WebhookId, @Id, last_position, @EventId, @Type, @Body, now(), clock_timestamp()
        FROM feed_state
        RETURNING {StoredDelivery.Columns}
        """;

    public async Task<DeliveryView> Handle(TestWebhook command, CancellationToken ct)
    {
        if (!(await webhooks.GetAsync(command.WebhookId, ct)).Enabled)
            throw WebhookErrors.Disabled();
        var id = Guid.CreateVersion7();
        await deliveries.QueueAsync([new AskedDelivery(id, command.WebhookId, id)], ct);
        var envelope = new EventEnvelope(
            $"test-{id:N}", WebhookTest.Name, ConversationId: null, Seq: null, clock.GetCurrentInstant(),
            EventRenderer.Json(new TestedWebhook(command.WebhookId))!.Value);
        var made = await session.QuerySingleAsync<StoredDelivery>(
            MakeSql,
            new
            {
                Id = id,
                command.WebhookId,
                EventId = envelope.Id,
                envelope.Type,
                Body = JsonSerializer.SerializeToUtf8Bytes(envelope, MessagingJson.Options),
            },
            ct);
        await deliveries.CallAsync(command.WebhookId, ct);
        return made.ToView();
    }
}
