using MediatR;
using Messaging.Api.Auth;
using Messaging.Api.Errors;
using Messaging.Api.OpenApi;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Events;
using Messaging.Application.Receipts;
using Messaging.Domain.Common;
using Messaging.Domain.ServiceKeys;
using Microsoft.AspNetCore.Http.HttpResults;
using System.Text.Json.Serialization;

namespace Messaging.Api.Events;

/// <summary>
/// Events since a cursor, or an initial state without one. Events may repeat what the state already holds: apply them by seq.
/// </summary>
/// <param name="Cursor">Pass it as <c>?since=</c> next time, and when connecting to the hub.</param>
/// <param name="Conversations">Without <c>since</c>, for a user: the first page of the inbox.</param>
/// <param name="Unread">Without <c>since</c>, for a user: the badge.</param>
/// <param name="Events">With <c>since</c>: what happened after it, oldest first.</param>
/// <param name="HasMore">With <c>since</c>: whether there are more events to fetch now.</param>
public sealed record SyncAnswer(
    string Cursor,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Page<ConversationView>? Conversations = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] UnreadTotal? Unread = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<EventEnvelope>? Events = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] bool? HasMore = null);

public static class SyncEndpoints
{
    public static IEndpointRouteBuilder MapSync(this IEndpointRouteBuilder app)
    {
        app.MapGet("/v1/sync", SyncAsync)
            .WithTags("Integration")
            .RequireScope(Scope.Events)
            .TakesOnly("since", "limit")
            .WithName("sync").WithSummary("Get the events since a cursor, or an initial state")
            .Refuses(ProblemCodes.CursorExpired);
        return app;
    }

    private static async Task<Ok<SyncAnswer>> SyncAsync(
        HttpContext context, IMediator mediator, CancellationToken ct, string? since = null, int limit = ListEvents.DefaultLimit) =>
        TypedResults.Ok(since is null
            ? Answer(await mediator.Send(new GetSnapshot(context.Actor(), limit), ct))
            : Answer(await mediator.Send(new ListEvents(context.Actor(), since, limit), ct)));

    private static SyncAnswer Answer(Snapshot snapshot) => new(snapshot.Cursor.ToString(), snapshot.Conversations, snapshot.Unread);

    private static SyncAnswer Answer(EventPage page) => new(page.Cursor.ToString(), Events: page.Events, HasMore: page.HasMore);
}
