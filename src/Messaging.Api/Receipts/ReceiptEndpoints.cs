using MediatR;
using Messaging.Api.Auth;
using Messaging.Application.Common;
using Messaging.Application.Receipts;
using Messaging.Domain.Common;
using Messaging.Domain.ServiceKeys;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Messaging.Api.Receipts;

public static class ReceiptEndpoints
{
    public static IEndpointRouteBuilder MapReceipts(this IEndpointRouteBuilder app)
    {
        app.MapGet("/v1/conversations/{id:guid}/messages/{messageId:guid}/receipts", ListAsync)
            .WithTags("Messages").RequireScope(Scope.Messages)
            .WithName("listReceipts").WithSummary("List who has received and read a message, by user id");
        return app;
    }

    private static async Task<Ok<ReceiptPage>> ListAsync(
        Guid id, Guid messageId, HttpContext context, IMediator mediator, CancellationToken ct, string? cursor = null,
        int limit = PageCursor.DefaultLimit) =>
        TypedResults.Ok(await mediator.Send(
            new ListReceipts(context.Actor(), new ConversationId(id), new MessageId(messageId), cursor, limit), ct));
}
