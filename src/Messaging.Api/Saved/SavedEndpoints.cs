using MediatR;
using Messaging.Api.Auth;
using Messaging.Api.OpenApi;
using Messaging.Api.RateLimiting;
using Messaging.Application.Common;
using Messaging.Application.Saved;
using Messaging.Domain.Common;
using Messaging.Domain.ServiceKeys;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Messaging.Api.Saved;

public static class SavedEndpoints
{
    private const string OwnState = "changes only the caller's own state";

    public static IEndpointRouteBuilder MapSaved(this IEndpointRouteBuilder app)
    {
        var saved = app.MapGroup("/v1").WithTags("Messages").RequireScope(Scope.Messages);

        saved.MapGet("/saved", ListAsync)
            .WithName("listSaved").WithSummary("List your saved messages, last saved first");
        saved.MapPut("/conversations/{id:guid}/messages/{messageId:guid}/saved", SaveAsync).WithoutSendLimit(OwnState)
            .WithName("saveMessage").WithSummary("Save a message for yourself")
            .Refuses(ProblemCodes.MessageDeleted, ProblemCodes.LimitReached);
        saved.MapDelete("/conversations/{id:guid}/messages/{messageId:guid}/saved", UnsaveAsync).WithoutSendLimit(OwnState)
            .WithName("unsaveMessage").WithSummary("Remove a saved message");
        return app;
    }

    private static async Task<Ok<Page<SavedView>>> ListAsync(
        HttpContext context, IMediator mediator, CancellationToken ct, string? cursor = null, int limit = PageCursor.DefaultLimit) =>
        TypedResults.Ok(await mediator.Send(new ListSaved(context.Actor(), cursor, limit), ct));

    private static async Task<Results<Ok<SavedView>, Created<SavedView>>> SaveAsync(
        Guid id, Guid messageId, HttpContext context, IMediator mediator, CancellationToken ct)
    {
        var saved = await mediator.Send(new SaveMessage(context.Actor(), new ConversationId(id), new MessageId(messageId)), ct);
        return saved.Created ? TypedResults.Created("/v1/saved", saved.Value) : TypedResults.Ok(saved.Value);
    }

    private static async Task<NoContent> UnsaveAsync(Guid id, Guid messageId, HttpContext context, IMediator mediator, CancellationToken ct)
    {
        await mediator.Send(new UnsaveMessage(context.Actor(), new ConversationId(id), new MessageId(messageId)), ct);
        return TypedResults.NoContent();
    }
}
