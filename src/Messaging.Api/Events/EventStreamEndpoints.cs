using System.ComponentModel;
using Messaging.Api.Auth;
using Messaging.Api.Errors;
using Messaging.Api.Health;
using Messaging.Api.OpenApi;
using Messaging.Api.Realtime;
using Messaging.Api.Security;
using Messaging.Application.Events;
using Messaging.Domain.Common;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Net.Http.Headers;
using Microsoft.OpenApi;
using Scope = Messaging.Domain.ServiceKeys.Scope;

namespace Messaging.Api.Events;

/// <summary>What the hub tells, for whoever only listens: as server-sent events, for services too.</summary>
public static class EventStreamEndpoints
{
    private const string LastEventId = "Last-Event-ID";

    private const string Example =
        """
        retry: 2000

        id: 00000001-4711
        event: test
        data: {"id":"00000001-4711","type":"test","conversationId":null,"seq":null,"occurredAt":"2026-11-20T10:15:30.123456Z","data":{}}


        """;

    private static readonly MediaTypeHeaderValue Stream = new(EventStream.MediaType);

    public static IEndpointRouteBuilder MapEventStream(this IEndpointRouteBuilder app)
    {
        app.MapGet("/v1/events", StreamAsync)
            .WithTags("Integration")
            .RequireScope(Scope.Events)
            .TakesOnly("since")
            .WithName("streamEvents").WithSummary("Follow events as they happen, as server-sent events")
            .WithDescription(
                "Each event is `id:` (its cursor), `event:` (its type) and `data:` (its envelope, as in `/v1/sync`); what is not stored, "
                + "such as `typing`, has no `id:`. With a cursor the stream begins with what was missed. A comment is sent every 15 s, "
                + "unless configured otherwise.")
            .Produces<string>(StatusCodes.Status200OK, EventStream.MediaType)
            .Refuses(ProblemCodes.CursorExpired)
            .AddOpenApiOperationTransformer(Illustrate)
            .DisableHttpMetrics();
        return app;
    }

    private static async Task StreamAsync(
        HttpContext context, EventStreams streams, Replays replays, Draining draining, EventStreamSettings settings,
        IHostApplicationLifetime host, CancellationToken ct,
        [FromHeader(Name = LastEventId), Description("The newest `id` that was seen; it counts, whatever `since` says.")]
        string? lastEventId = null,
        [Description("The same for who cannot set the header, or the `cursor` of `/v1/sync`.")] string? since = null)
    {
        if (!Accepts(context.Request))
            throw new RuleException(new Problem(
                EdgeCodes.NotAcceptable, $"Answers are {EventStream.MediaType}, which the Accept header excludes."));
        // A client that connects again sends the address of before and its newest id.
        FeedCursor? cursor = lastEventId is not null ? FeedCursor.Parse(lastEventId, LastEventId)
            : since is not null ? FeedCursor.Parse(since, nameof(since)) : null;
        if (draining.HasBegun)
            throw ConnectionErrors.Draining();
        if (HeadRequests.IsHead(context))
        {
            if (cursor is { } from)
                await replays.EnsureKnownAsync(from, ct);
            EventStream.Describe(context.Response);
            return;
        }
        using var stream = new EventStream(context, settings.Heartbeat, host.ApplicationStopping);
        await streams.RunAsync(stream, context.Actor(), cursor, ct);
    }

    private static Task Illustrate(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken ct)
    {
        operation.Responses!["200"].Content![EventStream.MediaType].Example = Example;
        return Task.CompletedTask;
    }

    private static bool Accepts(HttpRequest request) =>
        !MediaTypeHeaderValue.TryParseList(request.Headers.Accept, out var ranges)
        || ranges.Any(range => range.Quality is not 0 && Stream.IsSubsetOf(range));
}
