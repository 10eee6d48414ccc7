using MediatR;
using Messaging.Api.Auth;
using Messaging.Api.Idempotency;
using Messaging.Api.Json;
using Messaging.Api.RateLimiting;
using Messaging.Application.Messages;
using Messaging.Domain.Common;
using Messaging.Domain.ServiceKeys;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Messaging.Api.Messages;

public static class MessageEndpoints
{
    public static IEndpointRouteBuilder MapMessages(this IEndpointRouteBuilder app)
    {
        var messages = app.MapGroup("/v1/conversations/{id:guid}/messages").WithTags("Messages").RequireScope(Scope.Messages);

        messages.MapPost("/", SendAsync)
            .RequireSendLimit().WithoutIdempotencyKey()
            .WithName("sendMessage").WithSummary("Send a message");
        messages.MapGet("/", ListAsync)
            .WithName("listMessages").WithSummary("A part of the history, ascending by seq");
        messages.MapGet("/{messageId:guid}", GetAsync)
            .WithName("getMessage").WithSummary("A message");
        return app;
    }

    private static async Task<Results<Created<MessageView>, Ok<MessageView>>> SendAsync(
        Guid id, MessageContent body, HttpContext context, IMediator mediator, CancellationToken ct)
    {
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
}
