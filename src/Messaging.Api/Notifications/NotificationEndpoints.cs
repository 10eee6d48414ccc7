using MediatR;
using Messaging.Api.Auth;
using Messaging.Api.Idempotency;
using Messaging.Api.Json;
using Messaging.Api.OpenApi;
using Messaging.Api.RateLimiting;
using Messaging.Application.Common;
using Messaging.Application.Notifications;
using Messaging.Domain.Common;
using Messaging.Domain.ServiceKeys;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Messaging.Api.Notifications;

public static class NotificationEndpoints
{
    private const string OwnState = "changes only the caller's own state";

    public static IEndpointRouteBuilder MapNotifications(this IEndpointRouteBuilder app)
    {
        var notifications = app.MapGroup("/v1/notifications").WithTags("Notifications").RequireScope(Scope.Messages);

        notifications.MapGet("", ListAsync)
            .WithName("listNotifications").WithSummary("List your notifications, last updated first");
        notifications.MapPost("/{id:guid}/read", ReadAsync).WithoutSendLimit(OwnState).Refuses(ProblemCodes.NotFound)
            .WithName("readNotification").WithSummary("Mark a notification as read");
        notifications.MapPost("/read", ReadAllAsync).WithoutSendLimit(OwnState).WithoutIdempotencyKey()
            .WithName("readNotifications").WithSummary("Mark all your notifications as read");
        app.MapGet("/v1/admin/notifications", ListOfUsersAsync).WithTags("Moderation").ServiceOnly(Scope.Moderation, Scope.Admin)
            .WithName("listUserNotifications").WithSummary("List the notifications of all users, newest first");
        return app;
    }

    private static async Task<Ok<Page<NotificationView>>> ListAsync(
        HttpContext context, IMediator mediator, CancellationToken ct, bool unread = false, string? cursor = null,
        int limit = PageCursor.DefaultLimit) =>
        TypedResults.Ok(await mediator.Send(new ListNotifications(context.Actor(), unread, cursor, limit), ct));

    private static async Task<Ok<NotificationView>> ReadAsync(Guid id, HttpContext context, IMediator mediator, CancellationToken ct) =>
        TypedResults.Ok(await mediator.Send(new ReadNotification(context.Actor(), id), ct));

    private static async Task<Ok<ReadCount>> ReadAllAsync(HttpContext context, IMediator mediator, CancellationToken ct) =>
        TypedResults.Ok(await mediator.Send(new ReadNotifications(context.Actor()), ct));

    private static async Task<Ok<Page<NotificationView>>> ListOfUsersAsync(
        IMediator mediator, CancellationToken ct, EnumName<DeliveryState>? state = null, string? cursor = null,
        int limit = PageCursor.DefaultLimit) =>
        TypedResults.Ok(await mediator.Send(new ListUserNotifications(state?.Value, cursor, limit), ct));
}
