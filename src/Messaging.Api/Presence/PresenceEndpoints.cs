using System.ComponentModel.DataAnnotations;
using MediatR;
using Messaging.Api.Auth;
using Messaging.Api.OpenApi;
using Messaging.Api.RateLimiting;
using Messaging.Application.Common;
using Messaging.Application.Presence;
using Messaging.Domain.Common;
using Messaging.Domain.ServiceKeys;
using Messaging.Infrastructure.Presence;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Messaging.Api.Presence;

/// <summary>Whether the user is typing. Repeat it while typing goes on: it ends by itself after 5 s.</summary>
public sealed record TypingBody(bool Active);

public static class PresenceEndpoints
{
    public static IEndpointRouteBuilder MapPresence(this IEndpointRouteBuilder app)
    {
        var v1 = app.MapGroup("/v1");

        v1.MapGet("/presence", ListPresenceAsync).WithTags("Users").RequireScope(Scope.Users)
            .WithName("listPresence").WithSummary("Presence of up to 200 users with whom you share a conversation");
        v1.MapPost("/conversations/{id:guid}/typing", SetTypingAsync).WithTags("Conversations").RequireScope(Scope.Conversations)
            .WithoutSendLimit("said every few seconds while one writes, and gone by itself").Refuses(RefusalConventions.NotOpen)
            .WithName("setTyping").WithSummary("Tell the others that one is writing, or no more");
        v1.MapGet("/conversations/{id:guid}/typing", ListTypingAsync).WithTags("Conversations").RequireScope(Scope.Conversations)
            .WithName("listTyping").WithSummary("List who else is typing now");
        return app;
    }

    private static async Task<Ok<Page<PresenceView>>> ListPresenceAsync(
        [Required] string? ids, HttpContext context, IMediator mediator, LivePresence presence, CancellationToken ct)
    {
        var seen = await mediator.Send(new GetLastSeen(context.Actor(), (ids ?? "").Split(',')), ct);
        return TypedResults.Ok(new Page<PresenceView>(presence.Of(seen)));
    }

    private static async Task<NoContent> SetTypingAsync(Guid id, TypingBody body, HttpContext context, LiveTyping typing)
    {
        await typing.SetAsync(new ConversationId(id), context.Actor().RequireUser(), body.Active);
        return TypedResults.NoContent();
    }

    private static async Task<Ok<Page<TypingView>>> ListTypingAsync(Guid id, HttpContext context, LiveTyping typing) =>
        TypedResults.Ok(new Page<TypingView>(await typing.ListAsync(new ConversationId(id), context.Actor())));
}
