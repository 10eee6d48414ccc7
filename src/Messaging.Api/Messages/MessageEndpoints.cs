using MediatR;
using Messaging.Api.Auth;
using Messaging.Api.Idempotency;
using Messaging.Api.Json;
using Messaging.Api.OpenApi;
using Messaging.Api.RateLimiting;
using Messaging.Application.Common;
using Messaging.Application.Messages;
using Messaging.Domain.Common;
using Messaging.Domain.Messages;
using Messaging.Domain.ServiceKeys;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Messaging.Api.Messages;

/// <summary>A JSON Merge Patch of a message: absent keeps, null clears.</summary>
public sealed record MessagePatch
{
    /// <summary>Up to 10,000 characters.</summary>
    public Optional<string> Text { get; init; }

    /// <summary>The host's own JSON object, merged member by member; up to 16 KiB.</summary>
    public Optional<JsonText?> Metadata { get; init; }

    /// <summary>The complete new list of mentioned users, up to 100.</summary>
    public Optional<IReadOnlyList<UserId>> Mentions { get; init; }
}

public static class MessageEndpoints
{
    public static IEndpointRouteBuilder MapMessages(this IEndpointRouteBuilder app)
    {
        var messages = app.MapGroup("/v1/conversations/{id:guid}/messages").WithTags("Messages").RequireScope(Scope.Messages);

        messages.MapPost("/", SendAsync)
            .RequireSendLimit().WithoutIdempotencyKey()
            .Refuses([.. RefusalConventions.NotOpen, ProblemCodes.IdempotencyKeyReused])
            .WithName("sendMessage").WithSummary("Send a message");
        messages.MapGet("/", ListAsync)
            .WithName("listMessages").WithSummary("A page of the history, ascending by seq");
        messages.MapGet("/{messageId:guid}", GetAsync)
            .WithName("getMessage").WithSummary("A message");
        messages.MapGet("/{messageId:guid}/replies", ListRepliesAsync)
            .WithName("listReplies").WithSummary("List the replies to a message, oldest first");
        messages.MapPatch("/{messageId:guid}", EditAsync)
            .RequireSendLimit()
            .WithName("editMessage").WithSummary("Edit your own message")
            .Refuses([.. RefusalConventions.NotOpen, ProblemCodes.MessageDeleted, ProblemCodes.EditWindowPassed, ProblemCodes.LimitReached,
                ProblemCodes.VersionMismatch]);

        // A moderator's key has no business with the rest.
        var moderated = app.MapGroup("/v1/conversations/{id:guid}/messages/{messageId:guid}").WithTags("Messages")
            .RequireScope(Scope.Messages, Scope.Moderation);
        moderated.MapDelete("/", DeleteAsync).WithoutSendLimit("once for a message, which took one when it was sent")
            .WithName("deleteMessage").WithSummary("Delete a message, for everyone or for oneself")
            .Refuses(
                ProblemCodes.ConversationArchived, ProblemCodes.ConversationClosed, ProblemCodes.DeleteWindowPassed,
                ProblemCodes.VersionMismatch);
        moderated.MapGet("/edits", ListEditsAsync)
            .WithName("listEdits").WithSummary("List the earlier versions of a message, newest first");

        app.MapGet("/v1/admin/messages/{messageId:guid}", GetOriginalAsync).WithTags("Moderation").ServiceOnly(Scope.Moderation)
            .WithName("getOriginal").WithSummary("The original of a deleted message");
        return app;
    }

    private static async Task<Results<Created<MessageView>, Ok<MessageView>>> SendAsync(
        Guid id, MessageContent body, HttpContext context, IMediator mediator, RateLimits limits, CancellationToken ct)
    {
        await context.TakeMentionsAsync(limits, body.Mentions);
        var sent = await mediator.Send(new SendMessage(context.Actor(), new ConversationId(id), body), ct);
        context.SetETag(sent.Message.Version);
        return sent.Created
            ? TypedResults.Created($"/v1/conversations/{id}/messages/{sent.Message.Id}", sent.Message)
            : TypedResults.Ok(sent.Message);
    }

    private static async Task<Ok<MessagePage>> ListAsync(
        Guid id,
        HttpContext context,
        IMediator mediator,
        CancellationToken ct,
        long? before = null,
        long? after = null,
        long? around = null,
        int limit = ListMessages.DefaultLimit) =>
        TypedResults.Ok(await mediator.Send(
            new ListMessages(context.Actor(), new ConversationId(id), before, after, around, limit), ct));

    private static async Task<Ok<MessageView>> GetAsync(
        Guid id, Guid messageId, HttpContext context, IMediator mediator, CancellationToken ct)
    {
        var message = await mediator.Send(new GetMessage(context.Actor(), new ConversationId(id), new MessageId(messageId)), ct);
        context.SetETag(message.Version);
        return TypedResults.Ok(message);
    }

    private static async Task<Ok<Page<MessageView>>> ListRepliesAsync(
        Guid id, Guid messageId, HttpContext context, IMediator mediator, CancellationToken ct, string? cursor = null,
        int limit = PageCursor.DefaultLimit) =>
        TypedResults.Ok(await mediator.Send(
            new ListReplies(context.Actor(), new ConversationId(id), new MessageId(messageId), cursor, limit), ct));

    private static async Task<Ok<MessageView>> EditAsync(
        Guid id, Guid messageId, MessagePatch body, HttpContext context, IMediator mediator, RateLimits limits, CancellationToken ct)
    {
        await context.TakeMentionsAsync(limits, body.Mentions.Value);
        var message = await mediator.Send(
            new EditMessage(
                context.Actor(), new ConversationId(id), new MessageId(messageId), context.ExpectedVersions(), body.Text, body.Metadata,
                body.Mentions),
            ct);
        context.SetETag(message.Version);
        return TypedResults.Ok(message);
    }

    private static async Task<NoContent> DeleteAsync(
        Guid id, Guid messageId, HttpContext context, IMediator mediator, CancellationToken ct, EnumName<DeleteScope>? scope = null,
        EnumName<DeleteReason>? reason = null)
    {
        await mediator.Send(
            new DeleteMessage(
                context.Actor(), new ConversationId(id), new MessageId(messageId), scope?.Value ?? DeleteScope.Everyone, reason?.Value,
                context.ExpectedVersions()),
            ct);
        return TypedResults.NoContent();
    }

    private static async Task<Ok<Page<EditView>>> ListEditsAsync(
        Guid id, Guid messageId, HttpContext context, IMediator mediator, CancellationToken ct, string? cursor = null,
        int limit = PageCursor.DefaultLimit) =>
        TypedResults.Ok(await mediator.Send(
            new ListEdits(context.Actor(), new ConversationId(id), new MessageId(messageId), cursor, limit), ct));

    private static async Task<Ok<MessageView>> GetOriginalAsync(Guid messageId, IMediator mediator, CancellationToken ct) =>
        TypedResults.Ok(await mediator.Send(new GetOriginal(new MessageId(messageId)), ct));
}
