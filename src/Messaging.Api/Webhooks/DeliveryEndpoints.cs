using MediatR;
using Messaging.Api.Auth;
using Messaging.Api.Json;
using Messaging.Api.OpenApi;
using Messaging.Application.Common;
using Messaging.Application.Webhooks;
using Messaging.Domain.Common;
using Messaging.Domain.ServiceKeys;
using Microsoft.AspNetCore.Http.HttpResults;
using NodaTime;

namespace Messaging.Api.Webhooks;

/// <summary>Which of a webhook's deliveries are sent again.</summary>
/// <param name="From">Those made from then on; all earlier ones as well when absent.</param>
/// <param name="To">Those made before then; all later ones as well when absent.</param>
/// <param name="State"><c>parked</c> unless <c>delivered</c> is given.</param>
public sealed record RedeliveryBody(Instant? From = null, Instant? To = null, WebhookDeliveryState State = WebhookDeliveryState.Parked);

public static class DeliveryEndpoints
{
    public static IEndpointRouteBuilder MapDeliveries(this IEndpointRouteBuilder app)
    {
        var webhooks = app.MapGroup("/v1/webhooks").WithTags("Webhooks").ServiceOnly(Scope.Webhooks);

        webhooks.MapPost("/{id:guid}/test", TestAsync).Refuses(ProblemCodes.WebhookDisabled)
            .WithName("testWebhook").WithSummary("Send a webhook a delivery of no event");
        webhooks.MapGet("/{id:guid}/deliveries", ListAsync)
            .WithName("listDeliveries").WithSummary("List what a webhook was and will be told, newest first");
        webhooks.MapPost("/{id:guid}/redeliver", RedeliverRangeAsync)
            .WithName("redeliverRange").WithSummary("Send a webhook's deliveries of a time again, a thousand at most");
        webhooks.MapPost("/deliveries/{deliveryId:guid}/redeliver", RedeliverAsync)
            .WithName("redeliver").WithSummary("Send a delivery again");
        return app;
    }

    private static async Task<Accepted<DeliveryView>> TestAsync(Guid id, IMediator mediator, CancellationToken ct) =>
        TypedResults.Accepted($"/v1/webhooks/{id}/deliveries", await mediator.Send(new TestWebhook(id), ct));

    private static async Task<Ok<Page<DeliveryView>>> ListAsync(
        Guid id, IMediator mediator, CancellationToken ct, EnumName<WebhookDeliveryState>? state = null, string? cursor = null,
        int limit = PageCursor.DefaultLimit) =>
        TypedResults.Ok(await mediator.Send(new ListDeliveries(id, state?.Value, limit, cursor), ct));

    private static async Task<Accepted<Redelivered>> RedeliverRangeAsync(
        Guid id, RedeliveryBody body, IMediator mediator, CancellationToken ct) =>
        TypedResults.Accepted(
            $"/v1/webhooks/{id}/deliveries", await mediator.Send(new RedeliverRange(id, body.From, body.To, body.State), ct));

    private static async Task<Accepted<DeliveryView>> RedeliverAsync(Guid deliveryId, IMediator mediator, CancellationToken ct)
    {
        var delivery = await mediator.Send(new RedeliverOne(deliveryId), ct);
        return TypedResults.Accepted($"/v1/webhooks/{delivery.WebhookId}/deliveries", delivery);
    }
}
