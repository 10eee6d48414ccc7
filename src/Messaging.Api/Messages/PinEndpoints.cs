using MediatR;
using Messaging.Api.Auth;
using Messaging.Api.OpenApi;
using Messaging.Api.RateLimiting;
using Messaging.Application.Common;
using Messaging.Application.Messages;
using Messaging.Domain.Common;
using Messaging.Domain.ServiceKeys;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Messaging.Api.Messages;

public static class PinEndpoints
{
    private const string Small = "one click, no words and no notification; there are many a minute in a lively group";

    public static IEndpointRouteBuilder MapPins(this IEndpointRouteBuilder app)
    {
        var conversations = app.MapGroup("/v1/conversations/{id:guid}").WithTags("Messages").RequireScope(Scope.Messages);

        conversations.MapGet("/pins", ListAsync)
            .WithName("listPins").WithSummary("What is pinned in a conversation, the newest pin first");
        conversations.MapPut("/messages/{messageId:guid}/pin", PinAsync).WithoutSendLimit(Small)
            .WithName("pinMessage").WithSummary("Pin a message for everybody")
            .Refuses([.. RefusalConventions.NotOpen, ProblemCodes.MessageDeleted, ProblemCodes.LimitReached]);
        conversations.MapDelete("/messages/{messageId:guid}/pin", UnpinAsync).WithoutSendLimit(Small)
            .WithName("unpinMessage").WithSummary("Take a message's pin away")
            .Refuses([.. RefusalConventions.NotOpen, ProblemCodes.MessageDeleted]);
        return app;
    }

    private static async Task<Ok<Page<PinView>>> ListAsync(
        Guid id, HttpContext context, IMediator mediator, CancellationToken ct, string? cursor = null,
        int limit = PageCursor.DefaultLimit) =>
        TypedResults.Ok(await mediator.Send(new ListPins(context.Actor(), new ConversationId(id), cursor, limit), ct));

    private static async Task<Results<Ok<PinView>, Created<PinView>>> PinAsync(
        Guid id, Guid messageId, HttpContext context, IMediator mediator, CancellationToken ct)
    {
        var put = await mediator.Send(new PinMessage(context.Actor(), new ConversationId(id), new MessageId(messageId)), ct);
        return put.Created ? TypedResults.Created($"/v1/conversations/{id}/pins", put.Value) : TypedResults.Ok(put.Value);
    }

    private static async Task<NoContent> UnpinAsync(Guid id, Guid messageId, HttpContext context, IMediator mediator, CancellationToken ct)
    {
        await mediator.Send(new UnpinMessage(context.Actor(), new ConversationId(id), new MessageId(messageId)), ct);
        return TypedResults.NoContent();
    }
}
