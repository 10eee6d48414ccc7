using MediatR;
using Messaging.Api.Auth;
using Messaging.Api.Json;
using Messaging.Api.OpenApi;
using Messaging.Api.RateLimiting;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Participants;
using Messaging.Domain.Common;
using Messaging.Domain.Participants;
using Messaging.Domain.ServiceKeys;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Messaging.Api.Conversations;

/// <summary>Whom to add.</summary>
/// <param name="Role"><c>admin</c> or <c>member</c>; <c>member</c> by default.</param>
public sealed record ParticipantsBody(IReadOnlyList<UserId> UserIds, ParticipantRole? Role = null);

/// <summary>A participant's new role.</summary>
/// <param name="Role"><c>admin</c> or <c>member</c>; <c>owner</c> transfers the group.</param>
public sealed record RoleBody(ParticipantRole Role);

/// <summary>The new owner.</summary>
public sealed record OwnerBody(UserId UserId);

/// <summary>Who takes part in a group, and in which role.</summary>
public static class GroupEndpoints
{
    public static IEndpointRouteBuilder MapGroups(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("/v1/conversations/{id:guid}").WithTags("Participants").RequireScope(Scope.Conversations);
        var fixedInDirect = group.MapGroup("").Refuses(ProblemCodes.DirectIsFixed);

        group.MapGet("/participants", ListAsync)
            .WithName("listParticipants").WithSummary("List the participants, by user id");
        fixedInDirect.MapPost("/participants", AddAsync)
            .RequireSendLimit()
            .Refuses(
                ProblemCodes.ConversationArchived, ProblemCodes.ConversationClosed, ProblemCodes.GroupFull, ProblemCodes.Banned,
                ProblemCodes.Blocked,
                ProblemCodes.NotAContact)
            .WithName("addParticipants").WithSummary("Add people to a group, all or none");
        fixedInDirect.MapPatch("/participants/{userId:userid}", ChangeRoleAsync)
            .RequireSendLimit()
            .Refuses(ProblemCodes.ConversationArchived, ProblemCodes.LastOwner)
            .WithName("changeRole").WithSummary("Change a participant's role");
        fixedInDirect.MapDelete("/participants/{userId:userid}", RemoveAsync)
            .RequireSendLimit()
            .WithName("removeParticipant").WithSummary("Put somebody out of a group");
        fixedInDirect.MapPost("/leave", LeaveAsync).WithoutSendLimit("who wants to go can; coming back takes somebody else's budget")
            .WithName("leaveConversation").WithSummary("Leave a group");
        fixedInDirect.MapPost("/owner", HandOverAsync)
            .RequireSendLimit()
            .Refuses(ProblemCodes.ConversationArchived)
            .WithName("handOverGroup").WithSummary("Transfer ownership to another participant");
        fixedInDirect.MapGet("/bans", ListBansAsync)
            .WithName("listBans").WithSummary("List the banned users, by user id");
        fixedInDirect.MapPut("/bans/{userId:userid}", BanAsync)
            .RequireSendLimit()
            .WithName("banParticipant").WithSummary("Ban a user; a member is removed");
        fixedInDirect.MapDelete("/bans/{userId:userid}", UnbanAsync)
            .RequireSendLimit()
            .WithName("unbanParticipant").WithSummary("Lift a ban");
        return app;
    }

    private static async Task<Ok<Page<ParticipantView>>> ListAsync(
        Guid id,
        HttpContext context,
        IMediator mediator,
        CancellationToken ct,
        EnumName<ParticipantRole>? role = null,
        string? q = null,
        string? cursor = null,
        int limit = PageCursor.DefaultLimit) =>
        TypedResults.Ok(await mediator.Send(
            new ListParticipants(context.Actor(), new ConversationId(id), role?.Value, q, cursor, limit), ct));

    private static async Task<Ok<Page<ParticipantView>>> AddAsync(
        Guid id, ParticipantsBody body, HttpContext context, IMediator mediator, CancellationToken ct) =>
        TypedResults.Ok(await mediator.Send(new AddParticipants(context.Actor(), new ConversationId(id), body.UserIds, body.Role), ct));

    private static async Task<Ok<ParticipantView>> ChangeRoleAsync(
        Guid id, UserId userId, RoleBody body, HttpContext context, IMediator mediator, CancellationToken ct) =>
        TypedResults.Ok(await mediator.Send(new ChangeRole(context.Actor(), new ConversationId(id), userId, body.Role), ct));

    private static async Task<NoContent> RemoveAsync(
        Guid id, UserId userId, HttpContext context, IMediator mediator, CancellationToken ct)
    {
        await mediator.Send(new RemoveParticipant(context.Actor(), new ConversationId(id), userId), ct);
        return TypedResults.NoContent();
    }

    private static async Task<NoContent> LeaveAsync(Guid id, HttpContext context, IMediator mediator, CancellationToken ct)
    {
        await mediator.Send(new LeaveConversation(context.Actor(), new ConversationId(id)), ct);
        return TypedResults.NoContent();
    }

    private static async Task<Ok<ConversationView>> HandOverAsync(
        Guid id, OwnerBody body, HttpContext context, IMediator mediator, CancellationToken ct)
    {
        var group = await mediator.Send(new HandOverGroup(context.Actor(), new ConversationId(id), body.UserId), ct);
        context.SetETag(group.Version);
        return TypedResults.Ok(group);
    }

    private static async Task<Ok<Page<BanView>>> ListBansAsync(
        Guid id, HttpContext context, IMediator mediator, CancellationToken ct, string? cursor = null,
        int limit = PageCursor.DefaultLimit) =>
        TypedResults.Ok(await mediator.Send(new ListBans(context.Actor(), new ConversationId(id), cursor, limit), ct));

    private static async Task<Results<Ok<BanView>, Created<BanView>>> BanAsync(
        Guid id, UserId userId, HttpContext context, IMediator mediator, CancellationToken ct)
    {
        var banned = await mediator.Send(new BanParticipant(context.Actor(), new ConversationId(id), userId), ct);
        return banned.Created ? TypedResults.Created($"/v1/conversations/{id}/bans/{userId}", banned.Ban) : TypedResults.Ok(banned.Ban);
    }

    private static async Task<NoContent> UnbanAsync(Guid id, UserId userId, HttpContext context, IMediator mediator, CancellationToken ct)
    {
        await mediator.Send(new UnbanParticipant(context.Actor(), new ConversationId(id), userId), ct);
        return TypedResults.NoContent();
    }
}
