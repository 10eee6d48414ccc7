using MediatR;
using Messaging.Api.Auth;
using Messaging.Api.Json;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Messages;
using Messaging.Application.Participants;
using Messaging.Application.Receipts;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Participants;
using Messaging.Domain.ServiceKeys;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Messaging.Api.Conversations;

/// <summary>With whom to talk.</summary>
/// <param name="UserId">The other one.</param>
/// <param name="Context">What it is about; each context has a conversation of its own.</param>
/// <param name="Message">A first message, sent in the same transaction.</param>
public sealed record DirectBody(UserId UserId, ConversationContext? Context = null, MessageContent? Message = null);

/// <summary>A new group.</summary>
/// <param name="Name">1 to 200 characters.</param>
/// <param name="ParticipantIds">The other members, known users, each once.</param>
/// <param name="Description">At most 1,000 characters.</param>
/// <param name="Slug">Unique; 3 to 100 of a-z, 0-9 and -; made from the name when absent.</param>
/// <param name="Metadata">The host's own JSON object, up to 16 KiB.</param>
/// <param name="Policy">Rules of its own; the configured ones hold where there is none.</param>
public sealed record GroupBody(
    string Name,
    IReadOnlyList<UserId> ParticipantIds,
    string? Description = null,
    string? AvatarUrl = null,
    string? Slug = null,
    ConversationContext? Context = null,
    JsonText? Metadata = null,
    PolicyChange? Policy = null);

/// <summary>Who is let in.</summary>
/// <param name="Role"><c>admin</c> or <c>member</c>; the latter unless said.</param>
public sealed record ParticipantsBody(IReadOnlyList<UserId> UserIds, ParticipantRole? Role = null);

/// <summary>How far one has read.</summary>
/// <param name="Seq">The newest message when absent.</param>
public sealed record ReadBody(long? Seq = null);

public static class ConversationEndpoints
{
    public static IEndpointRouteBuilder MapConversations(this IEndpointRouteBuilder app)
    {
        var v1 = app.MapGroup("/v1").WithTags("Conversations").RequireScope(Scope.Conversations);

        v1.MapPost("/conversations/direct", OpenDirectAsync)
            .WithName("openDirect").WithSummary("Find or open the direct conversation with a user");
        v1.MapPost("/conversations", CreateGroupAsync)
            .WithName("createGroup").WithSummary("Create a group");
        v1.MapGet("/conversations", ListInboxAsync)
            .WithName("listConversations").WithSummary("One's inbox, the newest activity first");
        v1.MapGet("/conversations/{id:guid}", GetAsync)
            .WithName("getConversation").WithSummary("A conversation");
        v1.MapGet("/conversations/by-slug/{slug}", GetBySlugAsync)
            .WithName("getConversationBySlug").WithSummary("A conversation by its slug");
        v1.MapGet("/conversations/{id:guid}/participants", ListParticipantsAsync)
            .WithName("listParticipants").WithSummary("Who takes part, by user id");
        v1.MapPost("/conversations/{id:guid}/participants", AddParticipantsAsync)
            .WithName("addParticipants").WithSummary("Let people into a group, all or none");
        v1.MapPost("/conversations/{id:guid}/read", MarkReadAsync)
            .WithName("markRead").WithSummary("Move one's read pointer forward");
        v1.MapGet("/unread", GetUnreadAsync)
            .WithName("getUnread").WithSummary("Badge totals");
        return app;
    }

    private static async Task<Results<Ok<ConversationView>, Created<ConversationView>>> OpenDirectAsync(
        DirectBody body, HttpContext context, IMediator mediator, CancellationToken ct)
    {
        var opened = await mediator.Send(new OpenDirect(context.Actor(), body.UserId, body.Context, body.Message), ct);
        return opened.Created
            ? TypedResults.Created(Location(context, opened.Conversation), opened.Conversation)
            : TypedResults.Ok(WithTag(context, opened.Conversation));
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
        Word<InboxFilter>? filter = null,
        [FromQuery(Name = "context")] string? about = null,
        Word<ConversationType>? type = null,
        string? q = null,
        string? cursor = null,
        int limit = PageCursor.DefaultLimit) =>
        TypedResults.Ok(await mediator.Send(
            new ListInbox(
                context.Actor(), filter?.Value ?? InboxFilter.All, ContextRules.Parse(about), type?.Value, q, cursor, limit),
            ct));

    private static async Task<Ok<ConversationView>> GetAsync(Guid id, HttpContext context, IMediator mediator, CancellationToken ct) =>
        TypedResults.Ok(WithTag(context, await mediator.Send(new GetConversation(context.Actor(), new ConversationId(id)), ct)));

    private static async Task<Ok<ConversationView>> GetBySlugAsync(
        string slug, HttpContext context, IMediator mediator, CancellationToken ct) =>
        TypedResults.Ok(WithTag(context, await mediator.Send(new GetConversationBySlug(context.Actor(), slug), ct)));

    private static async Task<Ok<Page<ParticipantView>>> ListParticipantsAsync(
        Guid id, HttpContext context, IMediator mediator, CancellationToken ct, string? cursor = null, int limit = PageCursor.DefaultLimit) =>
        TypedResults.Ok(await mediator.Send(new ListParticipants(context.Actor(), new ConversationId(id), cursor, limit), ct));

    private static async Task<Ok<Page<ParticipantView>>> AddParticipantsAsync(
        Guid id, ParticipantsBody body, HttpContext context, IMediator mediator, CancellationToken ct) =>
        TypedResults.Ok(await mediator.Send(new AddParticipants(context.Actor(), new ConversationId(id), body.UserIds, body.Role), ct));

    private static async Task<Ok<PointerState>> MarkReadAsync(
        Guid id, ReadBody? body, HttpContext context, IMediator mediator, CancellationToken ct) =>
        TypedResults.Ok(await mediator.Send(new MarkRead(context.Actor(), new ConversationId(id), body?.Seq), ct));

    private static async Task<Ok<UnreadTotal>> GetUnreadAsync(HttpContext context, IMediator mediator, CancellationToken ct) =>
        TypedResults.Ok(await mediator.Send(new GetUnread(context.Actor()), ct));

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
