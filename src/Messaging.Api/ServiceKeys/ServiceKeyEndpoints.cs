using MediatR;
using Messaging.Api.Auth;
using Messaging.Api.Idempotency;
using Messaging.Application.Common;
using Messaging.Application.ServiceKeys;
using Messaging.Domain.ServiceKeys;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Messaging.Api.ServiceKeys;

/// <summary>A new service key.</summary>
public sealed record ServiceKeyBody(string Name, IReadOnlyList<Scope> Scopes);

public static class ServiceKeyEndpoints
{
    public static IEndpointRouteBuilder MapServiceKeys(this IEndpointRouteBuilder app)
    {
        var keys = app.MapGroup("/v1/admin/keys").WithTags("Administration").ServiceOnly(Scope.Admin);

        keys.MapGet("", ListAsync).WithName("listServiceKeys").WithSummary("List the service keys, without their secrets");
        // A key is stored hashed only: remembering the answer would store it in the clear.
        keys.MapPost("", CreateAsync).WithoutIdempotencyKey()
            .WithName("createServiceKey").WithSummary("Create a service key; it is shown only once");
        keys.MapDelete("/{id}", RevokeAsync).WithName("revokeServiceKey").WithSummary("Revoke a service key");
        return app;
    }

    private static async Task<Ok<Page<ServiceKeySummary>>> ListAsync(
        string? cursor, IMediator mediator, CancellationToken ct, int limit = PageCursor.DefaultLimit) =>
        TypedResults.Ok(await mediator.Send(new ListServiceKeys(limit, cursor), ct));

    private static async Task<Created<CreatedServiceKey>> CreateAsync(ServiceKeyBody body, IMediator mediator, CancellationToken ct)
    {
        var created = await mediator.Send(new CreateServiceKey(body.Name, body.Scopes), ct);
        return TypedResults.Created($"/v1/admin/keys/{created.Id}", created);
    }

    private static async Task<NoContent> RevokeAsync(string id, IMediator mediator, CancellationToken ct)
    {
        await mediator.Send(new RevokeServiceKey(id), ct);
        return TypedResults.NoContent();
    }
}
