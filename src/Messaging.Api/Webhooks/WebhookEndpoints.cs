using MediatR;
using Messaging.Api.Auth;
using Messaging.Api.Json;
using Messaging.Api.OpenApi;
using Messaging.Application.Common;
using Messaging.Application.Webhooks;
using Messaging.Domain.Common;
using Messaging.Domain.ServiceKeys;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Messaging.Api.Webhooks;

/// <summary>Another secret for a webhook.</summary>
/// <param name="Secret"><c>whsec_</c> and the base64 of 24 to 64 random bytes; made by the service when absent.</param>
/// <param name="KeepSeconds">How long calls are signed with the former secret as well: a day by default, 30 days at most.</param>
public sealed record RotationBody(string? Secret = null, int KeepSeconds = RotateWebhookSecret.DefaultKeepSeconds);

public static class WebhookEndpoints
{
    public static IEndpointRouteBuilder MapWebhooks(this IEndpointRouteBuilder app)
    {
        var webhooks = app.MapGroup("/v1/webhooks").WithTags("Webhooks").ServiceOnly(Scope.Webhooks);

        webhooks.MapGet("", ListAsync)
            .WithName("listWebhooks").WithSummary("List the webhooks, without their secrets");
        webhooks.MapPost("", CreateAsync).Refuses(ProblemCodes.LimitReached)
            .WithName("createWebhook").WithSummary("Have an address told of events; its secret is shown only here");
        webhooks.MapGet("/{id:guid}", GetAsync)
            .WithName("getWebhook").WithSummary("A webhook, without its secret, and how much waits for it or is parked");
        webhooks.MapPatch("/{id:guid}", UpdateAsync).Refuses(ProblemCodes.VersionMismatch)
            .WithName("updateWebhook").WithSummary("Change a webhook, or enable it again");
        webhooks.MapDelete("/{id:guid}", DeleteAsync).Refuses(ProblemCodes.VersionMismatch)
            .WithName("deleteWebhook").WithSummary("Delete a webhook");
        webhooks.MapPost("/{id:guid}/secret/rotate", RotateAsync)
            .WithName("rotateWebhookSecret").WithSummary("Give a webhook another secret; the former one stays in force for a while");
        return app;
    }

    private static async Task<Ok<Page<WebhookView>>> ListAsync(
        string? cursor, IMediator mediator, CancellationToken ct, int limit = PageCursor.DefaultLimit) =>
        TypedResults.Ok(await mediator.Send(new ListWebhooks(limit, cursor), ct));

    private static async Task<Created<WebhookWithSecret>> CreateAsync(
        NewWebhook body, HttpContext context, IMediator mediator, CancellationToken ct)
    {
        var created = WithTag(context, await mediator.Send(new CreateWebhook(body), ct));
        return TypedResults.Created($"/v1/webhooks/{created.Id}", created);
    }

    private static async Task<Ok<WebhookStatus>> GetAsync(Guid id, HttpContext context, IMediator mediator, CancellationToken ct) =>
        TypedResults.Ok(WithTag(context, await mediator.Send(new GetWebhook(id), ct)));

    private static async Task<Ok<WebhookView>> UpdateAsync(
        Guid id, WebhookPatch body, HttpContext context, IMediator mediator, CancellationToken ct) =>
        TypedResults.Ok(WithTag(context, await mediator.Send(new UpdateWebhook(id, context.ExpectedVersions(), body), ct)));

    private static async Task<NoContent> DeleteAsync(Guid id, HttpContext context, IMediator mediator, CancellationToken ct)
    {
        await mediator.Send(new DeleteWebhook(id, context.ExpectedVersions()), ct);
        return TypedResults.NoContent();
    }

    private static async Task<Ok<WebhookWithSecret>> RotateAsync(
        Guid id, RotationBody? body, HttpContext context, IMediator mediator, CancellationToken ct) =>
        TypedResults.Ok(WithTag(context, await mediator.Send(
            new RotateWebhookSecret(id, body?.Secret, body?.KeepSeconds ?? RotateWebhookSecret.DefaultKeepSeconds), ct)));

    private static T WithTag<T>(HttpContext context, T webhook)
        where T : WebhookView
    {
        context.SetETag(webhook.Version);
        return webhook;
    }
}
