using System.Diagnostics.CodeAnalysis;
using MediatR;
using Messaging.Api.Auth;
using Messaging.Api.Json;
using Messaging.Api.OpenApi;
using Messaging.Api.RateLimiting;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Messages;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.ServiceKeys;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Messaging.Api.Conversations;

/// <summary>Whom to talk to, and about what.</summary>
/// <param name="UserId">The other one.</param>
/// <param name="Context">What it is about; each context has its own conversation.</param>
/// <param name="Message">
/// A message to send in the same transaction; a service key needs the scope <c>messages</c>. Counts against the rate limit <c>send</c>, as
/// creating the conversation does; both together count once.
/// </param>
public sealed record DirectBody(UserId UserId, ConversationContext? Context = null, MessageContent? Message = null);

/// <summary>A new group.</summary>
/// <param name="Name">1 to 200 characters.</param>
/// <param name="ParticipantIds">The other members: known users, each listed once.</param>
/// <param name="Description">At most 1,000 characters.</param>
/// <param name="Slug">Unique; 3 to 100 of a-z, 0-9 and -; derived from the name when absent.</param>
/// <param name="Metadata">The host's own JSON object, up to 16 KiB.</param>
/// <param name="Policy">The group's own policy; the configured defaults apply to the rest.</param>
public sealed record GroupBody(
    string Name,
    IReadOnlyList<UserId> ParticipantIds,
    string? Description = null,
    string? AvatarUrl = null,
    string? Slug = null,
    ConversationContext? Context = null,
    JsonText? Metadata = null,
    PolicyChange? Policy = null);

/// <summary>A JSON Merge Patch of a group's details: absent keeps, null clears.</summary>
public sealed record ConversationPatch
{
    /// <summary>1 to 200 characters; never null.</summary>
    [DisallowNull]
    public Optional<string> Name { get; init; }

    /// <summary>At most 1,000 characters.</summary>
    public Optional<string> Description { get; init; }

    public Optional<string> AvatarUrl { get; init; }

    /// <summary>Unique; 3 to 100 of a-z, 0-9 and -; made from the name when null.</summary>
    public Optional<string> Slug { get; init; }

    /// <summary>The host's own JSON object, merged member by member; up to 16 KiB.</summary>
    public Optional<JsonText?> Metadata { get; init; }

    public Optional<PolicyChange> Policy { get; init; }
}

/// <summary>Why a conversation is closed.</summary>
/// <param name="Note">At most 1,000 characters.</param>
public sealed record CloseBody(CloseReason Reason, string? Note = null);

public static class ConversationEndpoints
{
    public static IEndpointRouteBuilder MapConversations(this IEndpointRouteBuilder app)
    {
        var v1 = app.MapGroup("/v1").WithTags("Conversations").RequireScope(Scope.Conversations);

        v1.MapPost("/conversations/direct", OpenDirectAsync).WithoutSendLimit("takes by itself when it makes or sends; most calls find")
            .Refuses([.. RefusalConventions.NotOpen, ProblemCodes.NotAContact, ProblemCodes.LimitReached])
            .WithName("openDirect").WithSummary("Find or open the direct conversation with a user");
        v1.MapPost("/conversations", CreateGroupAsync)
            .RequireSendLimit()
            .Refuses(ProblemCodes.Blocked, ProblemCodes.NotAContact, ProblemCodes.GroupFull, ProblemCodes.AlreadyExists)
            .WithName("createGroup").WithSummary("Create a group");
        v1.MapGet("/conversations", ListInboxAsync)
            .WithName("listConversations")
            .WithSummary("List your inbox, newest activity first; for a service, the conversations of a context");
        v1.MapGet("/conversations/{id:guid}", GetAsync)
            .WithName("getConversation").WithSummary("A conversation");
        v1.MapGet("/conversations/by-slug/{slug}", GetBySlugAsync)
            .WithName("getConversationBySlug").WithSummary("A conversation by its slug");
        v1.MapPatch("/conversations/{id:guid}", UpdateAsync)
            .RequireSendLimit()
            .Refuses(ProblemCodes.ConversationArchived, ProblemCodes.DirectIsFixed, ProblemCodes.AlreadyExists,
                ProblemCodes.VersionMismatch)
            .WithName("updateConversation").WithSummary("Change a group's details and policy");
        v1.MapPost("/conversations/{id:guid}/close", CloseAsync)
            .RequireSendLimit()
            .Refuses(RefusalConventions.NotOpen)
            .WithName("closeConversation").WithSummary("Close a conversation: nothing more can be sent");
        v1.MapPost("/conversations/{id:guid}/reopen", ReopenAsync)
            .RequireSendLimit()
            .Refuses(ProblemCodes.Blocked, ProblemCodes.ConversationArchived, ProblemCodes.RequestPending)
            .WithName("reopenConversation").WithSummary("Reopen a closed conversation");
        v1.MapPost("/conversations/{id:guid}/archive", ArchiveAsync)
            .RequireSendLimit()
            .WithName("archiveConversation").WithSummary("Archive a conversation for everyone");
        v1.MapPost("/conversations/{id:guid}/unarchive", UnarchiveAsync)
            .RequireSendLimit()
            .WithName("unarchiveConversation").WithSummary("Unarchive a conversation for everyone");
        return app;
    }

    private static async Task<Results<Ok<ConversationView>, Created<ConversationView>>> OpenDirectAsync(
        DirectBody body, HttpContext context, RateLimits limits, IMediator mediator, CancellationToken ct)
    {
        if (body.Message is not null)
        {
            await context.TakeSendAsync(limits);
            context.User.RequireScope(Scope.Messages);
        }
        var opened = await mediator.Send(
            new OpenDirect(context.Actor(), body.UserId, body.Context, body.Message, BeforeMaking: () => context.TakeSend(limits)), ct);
        return opened.Created
            ? TypedResults.Created(Location(context, opened.Value), opened.Value)
            : TypedResults.Ok(WithTag(context, opened.Value));
    }

    private static async Task<Created<ConversationView>> CreateGroupAsync(
        GroupBody body, HttpContext context, IMediator mediator, CancellationToken ct)
    {
        var created = await mediator.Send(
            new CreateGroup(
                context.Actor(), body.Name, body.ParticipantIds, body.Description, body.AvatarUrl, body.Slug, body.Context, body.Metadata,
                body.Policy),
            ct);
        return TypedResults.Created(Location(context, created), created);
    }

    private static async Task<Ok<Page<ConversationView>>> ListInboxAsync(
        HttpContext context,
        IMediator mediator,
        CancellationToken ct,
        EnumName<InboxFilter>? filter = null,
        [FromQuery(Name = "context")] string? about = null,
        EnumName<ConversationType>? type = null,
        string? q = null,
        string? cursor = null,
        int limit = PageCursor.DefaultLimit) =>
        TypedResults.Ok(context.Actor().IsService
            ? await mediator.Send(new ListByContext(context.Actor(), ContextRules.Parse(about), cursor, limit), ct)
            : await mediator.Send(
                new ListInbox(
                    context.Actor(), filter?.Value ?? InboxFilter.All, ContextRules.Parse(about), type?.Value, q, cursor, limit),
                ct));

    private static async Task<Ok<ConversationView>> GetAsync(Guid id, HttpContext context, IMediator mediator, CancellationToken ct) =>
        TypedResults.Ok(WithTag(context, await mediator.Send(new GetConversation(context.Actor(), new ConversationId(id)), ct)));

    private static async Task<Ok<ConversationView>> GetBySlugAsync(
        string slug, HttpContext context, IMediator mediator, CancellationToken ct) =>
        TypedResults.Ok(WithTag(context, await mediator.Send(new GetConversationBySlug(context.Actor(), slug), ct)));

    private static async Task<Ok<ConversationView>> UpdateAsync(
        Guid id, ConversationPatch body, HttpContext context, IMediator mediator, CancellationToken ct) =>
        TypedResults.Ok(WithTag(context, await mediator.Send(
            new UpdateConversation(
                context.Actor(), new ConversationId(id), context.ExpectedVersions(), body.Name, body.Description, body.AvatarUrl, body.Slug,
                body.Metadata, body.Policy),
            ct)));

    private static async Task<Ok<ConversationView>> CloseAsync(
        Guid id, CloseBody body, HttpContext context, IMediator mediator, CancellationToken ct) =>
        TypedResults.Ok(WithTag(context, await mediator.Send(
            new CloseConversation(context.Actor(), new ConversationId(id), body.Reason, body.Note), ct)));

    private static async Task<Ok<ConversationView>> ReopenAsync(Guid id, HttpContext context, IMediator mediator, CancellationToken ct) =>
        TypedResults.Ok(WithTag(context, await mediator.Send(new ReopenConversation(context.Actor(), new ConversationId(id)), ct)));

    private static async Task<Ok<ConversationView>> ArchiveAsync(Guid id, HttpContext context, IMediator mediator, CancellationToken ct) =>
        TypedResults.Ok(WithTag(context, await mediator.Send(
            new ArchiveConversation(context.Actor(), new ConversationId(id), Archived: true), ct)));

    private static async Task<Ok<ConversationView>> UnarchiveAsync(
        Guid id, HttpContext context, IMediator mediator, CancellationToken ct) =>
        TypedResults.Ok(WithTag(context, await mediator.Send(
            new ArchiveConversation(context.Actor(), new ConversationId(id), Archived: false), ct)));

    private static string Location(HttpContext context, ConversationView view)
    {
        WithTag(context, view);
        return $"/v1/conversations/{view.Id}";
    }

    private static ConversationView WithTag(HttpContext context, ConversationView view)
    {
        context.SetETag(view.Version);
        return view;
    }
}
