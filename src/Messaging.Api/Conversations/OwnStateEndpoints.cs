using MediatR;
using Messaging.Api.Auth;
using Messaging.Api.Json;
using Messaging.Api.OpenApi;
using Messaging.Api.RateLimiting;
using Messaging.Application.Conversations;
using Messaging.Application.Participants;
using Messaging.Application.Receipts;
using Messaging.Domain.Common;
using Messaging.Domain.ServiceKeys;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Messaging.Api.Conversations;

/// <summary>How far the caller has read or received.</summary>
/// <param name="Seq">The newest message when absent.</param>
public sealed record PointerBody(long? Seq = null);

/// <summary>The message that becomes the first unread one.</summary>
public sealed record UnreadBody(long Seq);

/// <summary>What a <c>DELETE</c> of a conversation is for.</summary>
public enum DeleteScope
{
    /// <summary>Takes it out of one's inbox and empties one's view of it.</summary>
    Me,

    /// <summary>Ends it for all.</summary>
    Everyone,
}

/// <summary>One's own state of a conversation: pointers, settings, what one sees of it.</summary>
public static class OwnStateEndpoints
{
    private const string OwnState = "changes what is one's own; of others' screens at most a pointer, which only rises";

    public static IEndpointRouteBuilder MapOwnState(this IEndpointRouteBuilder app)
    {
        var v1 = app.MapGroup("/v1").WithTags("Own state").RequireScope(Scope.Conversations);

        v1.MapPost("/conversations/{id:guid}/read", MarkReadAsync).WithoutSendLimit(OwnState)
            .WithName("markRead").WithSummary("Move one's read pointer forward");
        v1.MapPost("/conversations/{id:guid}/delivered", MarkDeliveredAsync).WithoutSendLimit(OwnState)
            .WithName("markDelivered").WithSummary("Move one's delivered pointer forward");
        v1.MapPost("/conversations/{id:guid}/unread", MarkUnreadAsync).RequireSendLimit()
            .WithName("markUnread").WithSummary("Make a message the first unread one");
        v1.MapPatch("/conversations/{id:guid}/settings", UpdateSettingsAsync).WithoutSendLimit(OwnState)
            .WithName("updateSettings").WithSummary("Change one's own settings of a conversation");
        v1.MapDelete("/conversations/{id:guid}/history", ClearHistoryAsync).WithoutSendLimit(OwnState)
            .WithName("clearHistory").WithSummary("Empty one's own view of a conversation");
        v1.MapDelete("/conversations/{id:guid}", DeleteAsync).WithoutSendLimit("once for a conversation, which took one when it was made")
            .Refuses(ProblemCodes.VersionMismatch)
            .WithName("deleteConversation").WithSummary("Remove a conversation from your inbox, or delete it for everyone");
        v1.MapGet("/unread", GetUnreadAsync)
            .WithName("getUnread").WithSummary("Badge totals");
        return app;
    }

    private static async Task<Ok<PointerState>> MarkReadAsync(
        Guid id, PointerBody? body, HttpContext context, IMediator mediator, CancellationToken ct) =>
        TypedResults.Ok(await mediator.Send(new MarkRead(context.Actor(), new ConversationId(id), body?.Seq), ct));

    private static async Task<Ok<PointerState>> MarkDeliveredAsync(
        Guid id, PointerBody? body, HttpContext context, IMediator mediator, CancellationToken ct) =>
        TypedResults.Ok(await mediator.Send(new MarkDelivered(context.Actor(), new ConversationId(id), body?.Seq), ct));

    private static async Task<Ok<PointerState>> MarkUnreadAsync(
        Guid id, UnreadBody body, HttpContext context, IMediator mediator, CancellationToken ct) =>
        TypedResults.Ok(await mediator.Send(new MarkUnread(context.Actor(), new ConversationId(id), body.Seq), ct));

    private static async Task<Ok<SettingsView>> UpdateSettingsAsync(
        Guid id, SettingsChange body, HttpContext context, IMediator mediator, CancellationToken ct) =>
        TypedResults.Ok(await mediator.Send(new UpdateSettings(context.Actor(), new ConversationId(id), body), ct));

    private static async Task<NoContent> ClearHistoryAsync(Guid id, HttpContext context, IMediator mediator, CancellationToken ct)
    {
        await mediator.Send(new ClearHistory(context.Actor(), new ConversationId(id), LeavesInbox: false), ct);
        return TypedResults.NoContent();
    }

    private static async Task<NoContent> DeleteAsync(
        Guid id, HttpContext context, IMediator mediator, CancellationToken ct, EnumName<DeleteScope>? scope = null)
    {
        if (scope?.Value is DeleteScope.Everyone)
            await mediator.Send(new DeleteConversation(context.Actor(), new ConversationId(id), context.ExpectedVersions()), ct);
        else
            await mediator.Send(
                new ClearHistory(context.Actor(), new ConversationId(id), LeavesInbox: true, context.ExpectedVersions()), ct);
        return TypedResults.NoContent();
    }

    private static async Task<Ok<UnreadTotal>> GetUnreadAsync(HttpContext context, IMediator mediator, CancellationToken ct) =>
        TypedResults.Ok(await mediator.Send(new GetUnread(context.Actor()), ct));
}
