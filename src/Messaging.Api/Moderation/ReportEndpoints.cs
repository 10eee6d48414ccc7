using MediatR;
using Messaging.Api.Auth;
using Messaging.Api.OpenApi;
using Messaging.Api.RateLimiting;
using Messaging.Application.Moderation;
using Messaging.Domain.Common;
using Messaging.Domain.Moderation;
using Messaging.Domain.ServiceKeys;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Messaging.Api.Moderation;

/// <summary>What is wrong with a message.</summary>
/// <param name="Note">1 to 1,000 characters for the moderators.</param>
public sealed record ReportBody(ReportReason Reason, string? Note = null);

public static class ReportEndpoints
{
    public static IEndpointRouteBuilder MapReports(this IEndpointRouteBuilder app)
    {
        app.MapPost("/v1/conversations/{id:guid}/messages/{messageId:guid}/report", ReportAsync)
            .WithoutSendLimit("for the moderators, and one of each message").Refuses(ProblemCodes.MessageDeleted)
            .WithTags("Moderation").RequireScope(Scope.Messages)
            .WithName("reportMessage").WithSummary("Report a message to the moderators");
        return app;
    }

    private static async Task<Results<Created<ReportView>, Ok<ReportView>>> ReportAsync(
        Guid id, Guid messageId, ReportBody body, HttpContext context, IMediator mediator, CancellationToken ct)
    {
        var made = await mediator.Send(
            new ReportMessage(context.Actor(), new ConversationId(id), new MessageId(messageId), body.Reason, body.Note), ct);
        return made.Created ? TypedResults.Created($"/v1/admin/reports/{made.Value.Id}", made.Value) : TypedResults.Ok(made.Value);
    }
}
