using MediatR;
using Messaging.Api.Auth;
using Messaging.Api.OpenApi;
using Messaging.Api.RateLimiting;
using Messaging.Application.Common;
using Messaging.Application.Reactions;
using Messaging.Domain.Common;
using Messaging.Domain.ServiceKeys;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Messaging.Api.Reactions;

public static class ReactionEndpoints
{
    private const string Small = "one click, no words and no notification; there are many a minute in a lively group";

    public static IEndpointRouteBuilder MapReactions(this IEndpointRouteBuilder app)
    {
        var reactions = app.MapGroup("/v1/conversations/{id:guid}/messages/{messageId:guid}/reactions")
            .WithTags("Reactions").RequireScope(Scope.Messages);

        reactions.MapGet("/", ListAsync)
            .WithName("listReactions").WithSummary("Who has reacted to a message, by user id");
        reactions.MapPut("/{emoji}", ReactAsync).WithoutSendLimit(Small)
            .WithName("react").WithSummary("Put an emoji to a message")
            .Refuses([.. RefusalConventions.NotOpen, ProblemCodes.MessageDeleted, ProblemCodes.LimitReached]);
        reactions.MapDelete("/{emoji}", UnreactAsync).WithoutSendLimit(Small)
            .WithName("unreact").WithSummary("Take one's emoji away from a message")
            .Refuses([.. RefusalConventions.NotOpen, ProblemCodes.MessageDeleted]);
        return app;
    }

    private static async Task<Ok<Page<ReactionItem>>> ListAsync(
        Guid id, Guid messageId, HttpContext context, IMediator mediator, CancellationToken ct, string? emoji = null, string? cursor = null,
        int limit = PageCursor.DefaultLimit) =>
        TypedResults.Ok(await mediator.Send(
            new ListReactions(context.Actor(), new ConversationId(id), new MessageId(messageId), emoji, cursor, limit), ct));

    private static async Task<Results<Ok<ReactionItem>, Created<ReactionItem>>> ReactAsync(
        Guid id, Guid messageId, string emoji, HttpContext context, IMediator mediator, CancellationToken ct)
    {
        var put = await mediator.Send(new React(context.Actor(), new ConversationId(id), new MessageId(messageId), emoji), ct);
        return put.Created
            ? TypedResults.Created(
                $"/v1/conversations/{id}/messages/{messageId}/reactions?emoji={Uri.EscapeDataString(put.Value.Emoji)}", put.Value)
            : TypedResults.Ok(put.Value);
    }

    private static async Task<NoContent> UnreactAsync(
        Guid id, Guid messageId, string emoji, HttpContext context, IMediator mediator, CancellationToken ct)
    {
        await mediator.Send(new Unreact(context.Actor(), new ConversationId(id), new MessageId(messageId), emoji), ct);
        return TypedResults.NoContent();
    }
}
