using Messaging.Api.Errors;
using Messaging.Api.OpenApi;
using Messaging.Application.Attachments;
using Messaging.Application.Bus;
using Messaging.Domain.Common;
using Messaging.Infrastructure.Database;
using Messaging.Infrastructure.Events;
using Messaging.Migrations;

namespace Messaging.Api.Health;

/// <summary>For orchestrators and load balancers; no credential is asked for.</summary>
public static class HealthEndpoints
{
    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        var health = routes.MapGroup("/health").WithTags("Operations").AllowAnonymous();
        health.MapGet("/live", Live).WithName("getLiveness").WithSummary("Whether the process is running");
        health.MapGet("/ready", ReadyAsync).WithName("getReadiness").WithSummary("Whether requests should be sent here")
            .Produces<Readiness>().Refuses(ProblemCodes.Unavailable);
    }

    /// <summary>Never asks the database: a restart would not bring that back.</summary>
    private static Liveness Live() => new("live");

    private static async Task<IResult> ReadyAsync(
        HttpContext context, Draining draining, DatabaseHealth database, Maintenance maintenance, IImageMaker images, IBus bus,
        CancellationToken ct)
    {
        var schema = await database.CheckAsync(ct);
        var reason = (schema?.State, draining.HasBegun) switch
        {
            (_, true) => "The service is on its way down.",
            (null, _) => "The database does not answer.",
            (SchemaState.Older, _) => "The database's schema is older than this release needs.",
            (SchemaState.Broken, _) => schema!.Message,
            _ when !maintenance.HasPartitions => "The partitions for what is sent now are still being made.",
            _ => null,
        };
        if (reason is null)
            return TypedResults.Ok(new Readiness(
                "ready", "up", schema!.State is SchemaState.Newer ? "newer" : "current", images.IsAvailable ? "available" : "missing",
                bus.IsUp ? "up" : "degraded"));
        await context.WriteProblemAsync(new Problem(ProblemCodes.Unavailable, reason) { RetryAfterSeconds = 5 });
        return TypedResults.Empty;
    }
}

/// <summary>The process is running.</summary>
public sealed record Liveness(string Status);

/// <summary>The service is ready for requests.</summary>
/// <param name="Status">Always <c>ready</c>; if the service is not ready, the answer is 503.</param>
/// <param name="Database">Always <c>up</c>.</param>
/// <param name="Schema"><c>current</c>, or <c>newer</c> after compatible migrations of a newer release.</param>
/// <param name="Images"><c>available</c>, or <c>missing</c> without libvips: images are then kept unchanged and in one size.</param>
/// <param name="Bus">
/// <c>up</c>, or <c>degraded</c> while this node hears nothing of the others: events come up to a second later, presence and typing of
/// other nodes not at all.
/// </param>
public sealed record Readiness(string Status, string Database, string Schema, string Images, string Bus);
