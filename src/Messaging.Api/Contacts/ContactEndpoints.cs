using MediatR;
using Messaging.Api.Auth;
using Messaging.Api.Json;
using Messaging.Api.OpenApi;
using Messaging.Api.RateLimiting;
using Messaging.Application.Common;
using Messaging.Application.Contacts;
using Messaging.Domain.Common;
using Messaging.Domain.Contacts;
using Messaging.Domain.ServiceKeys;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Messaging.Api.Contacts;

/// <summary>The user to add as a contact.</summary>
public sealed record ContactBody(UserId UserId);

/// <summary>Contacts, blocks, and first messages that wait for an answer.</summary>
public static class ContactEndpoints
{
    private const string Once = "answers what another one has asked, once";
    private const string OwnDevices = "told to one's own devices alone";

    public static IEndpointRouteBuilder MapContacts(this IEndpointRouteBuilder app)
    {
        var v1 = app.MapGroup("/v1").WithTags("Contacts").RequireScope(Scope.Conversations);

        v1.MapGet("/contacts", ListAsync)
            .WithName("listContacts").WithSummary("List your contacts and contact requests, by user id");
        v1.MapPost("/contacts", AskAsync)
            .RequireSendLimit()
            .Refuses(ProblemCodes.Blocked, ProblemCodes.RequestPending)
            .WithName("askContact").WithSummary("Ask somebody to be a contact; asking who has asked already accepts");
        v1.MapPost("/contacts/{userId:userid}/accept", AcceptAsync).WithoutSendLimit(Once)
            .Refuses(ProblemCodes.Blocked)
            .WithName("acceptContact").WithSummary("Accept who asks");
        v1.MapPost("/contacts/{userId:userid}/decline", DeclineAsync).WithoutSendLimit(Once)
            .Refuses(ProblemCodes.AlreadyExists)
            .WithName("declineContact").WithSummary("Decline who asks; that one is not told");
        v1.MapDelete("/contacts/{userId:userid}", RemoveAsync).WithoutSendLimit("once for a contact, which took one when it was asked")
            .WithName("removeContact").WithSummary("End a contact in both directions");
        v1.MapGet("/blocks", ListBlocksAsync)
            .WithName("listBlocks").WithSummary("Whom one has blocked, by user id");
        v1.MapPut("/blocks/{userId:userid}", BlockAsync).WithoutSendLimit(OwnDevices)
            .WithName("blockUser").WithSummary("Block somebody");
        v1.MapDelete("/blocks/{userId:userid}", UnblockAsync).WithoutSendLimit(OwnDevices)
            .WithName("unblockUser").WithSummary("Lift one's block");
        v1.MapGet("/message-requests", ListRequestsAsync)
            .WithName("listMessageRequests").WithSummary("First messages that wait for an answer, the newest first");
        v1.MapPost("/message-requests/{requestId:guid}/accept", AcceptRequestAsync).WithoutSendLimit(Once)
            .Refuses(ProblemCodes.Blocked)
            .WithName("acceptMessageRequest").WithSummary("Accept a first message: both become contacts");
        v1.MapPost("/message-requests/{requestId:guid}/decline", DeclineRequestAsync).WithoutSendLimit(Once)
            .Refuses(ProblemCodes.AlreadyExists)
            .WithName("declineMessageRequest").WithSummary("Decline a message request; its sender is not told");
        return app;
    }

    private static async Task<Ok<Page<ContactView>>> ListAsync(
        HttpContext context, IMediator mediator, CancellationToken ct, EnumName<ContactStatus>? status = null, string? cursor = null,
        int limit = PageCursor.DefaultLimit) =>
        TypedResults.Ok(await mediator.Send(new ListContacts(context.Actor(), status?.Value, cursor, limit), ct));

    private static async Task<Results<Ok<ContactView>, Created<ContactView>>> AskAsync(
        ContactBody body, HttpContext context, IMediator mediator, CancellationToken ct)
    {
        var asked = await mediator.Send(new RequestContact(context.Actor(), body.UserId), ct);
        return asked.Created ? TypedResults.Created($"/v1/contacts/{body.UserId}", asked.Value) : TypedResults.Ok(asked.Value);
    }

    private static async Task<Ok<ContactView>> AcceptAsync(UserId userId, HttpContext context, IMediator mediator, CancellationToken ct) =>
        TypedResults.Ok((await mediator.Send(new AnswerContact(context.Actor(), userId, Accepts: true), ct))!);

    private static async Task<NoContent> DeclineAsync(UserId userId, HttpContext context, IMediator mediator, CancellationToken ct)
    {
        await mediator.Send(new AnswerContact(context.Actor(), userId, Accepts: false), ct);
        return TypedResults.NoContent();
    }

    private static async Task<NoContent> RemoveAsync(UserId userId, HttpContext context, IMediator mediator, CancellationToken ct)
    {
        await mediator.Send(new RemoveContact(context.Actor(), userId), ct);
        return TypedResults.NoContent();
    }

    private static async Task<Ok<Page<BlockView>>> ListBlocksAsync(
        HttpContext context, IMediator mediator, CancellationToken ct, string? cursor = null, int limit = PageCursor.DefaultLimit) =>
        TypedResults.Ok(await mediator.Send(new ListBlocks(context.Actor(), cursor, limit), ct));

    private static async Task<Results<Ok<BlockView>, Created<BlockView>>> BlockAsync(
        UserId userId, HttpContext context, IMediator mediator, CancellationToken ct)
    {
        var blocked = await mediator.Send(new BlockUser(context.Actor(), userId), ct);
        return blocked.Created ? TypedResults.Created($"/v1/blocks/{userId}", blocked.Block) : TypedResults.Ok(blocked.Block);
    }

    private static async Task<NoContent> UnblockAsync(UserId userId, HttpContext context, IMediator mediator, CancellationToken ct)
    {
        await mediator.Send(new UnblockUser(context.Actor(), userId), ct);
        return TypedResults.NoContent();
    }

    private static async Task<Ok<Page<MessageRequestView>>> ListRequestsAsync(
        HttpContext context, IMediator mediator, CancellationToken ct, EnumName<RequestDirection>? direction = null,
        EnumName<RequestStatus>? status = null,
        string? cursor = null, int limit = PageCursor.DefaultLimit) =>
        TypedResults.Ok(await mediator.Send(
            new ListRequests(context.Actor(), direction?.Value ?? RequestDirection.In, status?.Value, cursor, limit), ct));

    private static async Task<Ok<MessageRequestView>> AcceptRequestAsync(
        Guid requestId, HttpContext context, IMediator mediator, CancellationToken ct) =>
        TypedResults.Ok(await mediator.Send(new AnswerRequest(context.Actor(), requestId, Accepts: true), ct));

    private static async Task<NoContent> DeclineRequestAsync(Guid requestId, HttpContext context, IMediator mediator, CancellationToken ct)
    {
        await mediator.Send(new AnswerRequest(context.Actor(), requestId, Accepts: false), ct);
        return TypedResults.NoContent();
    }
}
