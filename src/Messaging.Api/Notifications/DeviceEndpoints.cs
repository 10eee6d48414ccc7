using MediatR;
using Messaging.Api.Auth;
using Messaging.Api.OpenApi;
using Messaging.Api.RateLimiting;
using Messaging.Application.Common;
using Messaging.Application.Notifications;
using Messaging.Domain.Common;
using Messaging.Domain.ServiceKeys;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Messaging.Api.Notifications;

/// <summary>A device that takes the caller's pushes.</summary>
/// <param name="Token">
/// Of FCM (<c>android</c>) or APNs (<c>ios</c>), up to 2,048 characters; for <c>web</c> the endpoint of the push subscription.
/// </param>
/// <param name="Keys">For <c>web</c> the keys of the push subscription.</param>
public sealed record DeviceBody(DevicePlatform Platform, string Token, DeviceKeys? Keys = null);

public static class DeviceEndpoints
{
    private const string OwnState = "changes only the caller's own state";

    public static IEndpointRouteBuilder MapDevices(this IEndpointRouteBuilder app)
    {
        var devices = app.MapGroup("/v1/devices").WithTags("Notifications").RequireScope(Scope.Messages);

        devices.MapGet("", ListAsync)
            .WithName("listDevices").WithSummary("List your devices");
        devices.MapGet("/{deviceId:userid}", GetAsync).Refuses(ProblemCodes.NotFound)
            .WithName("getDevice").WithSummary("One of your devices");
        devices.MapPut("/{deviceId:userid}", PutAsync).WithoutSendLimit(OwnState).Refuses(ProblemCodes.LimitReached)
            .WithName("putDevice").WithSummary("Register a device for pushes, or say that it is still in use");
        devices.MapDelete("/{deviceId:userid}", DeleteAsync).WithoutSendLimit(OwnState)
            .WithName("deleteDevice").WithSummary("End pushes to a device");
        return app;
    }

    private static async Task<Ok<Page<DeviceView>>> ListAsync(HttpContext context, IMediator mediator, CancellationToken ct) =>
        TypedResults.Ok(await mediator.Send(new ListDevices(context.Actor()), ct));

    private static async Task<Ok<DeviceView>> GetAsync(
        string deviceId, HttpContext context, IMediator mediator, CancellationToken ct) =>
        TypedResults.Ok(await mediator.Send(new GetDevice(context.Actor(), deviceId), ct));

    private static async Task<Results<Ok<DeviceView>, Created<DeviceView>>> PutAsync(
        string deviceId, DeviceBody body, HttpContext context, IMediator mediator, CancellationToken ct)
    {
        var command = new PutDevice(context.User.Credential()!, deviceId, body.Platform, body.Token, body.Keys);
        var result = await mediator.Send(command, ct);
        return result.Created ? TypedResults.Created($"/v1/devices/{deviceId}", result.Value) : TypedResults.Ok(result.Value);
    }

    private static async Task<NoContent> DeleteAsync(string deviceId, HttpContext context, IMediator mediator, CancellationToken ct)
    {
        await mediator.Send(new DeleteDevice(context.Actor(), deviceId), ct);
        return TypedResults.NoContent();
    }
}
