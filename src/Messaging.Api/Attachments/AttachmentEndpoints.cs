using MediatR;
using Messaging.Api.Auth;
using Messaging.Api.Configuration;
using Messaging.Api.Errors;
using Messaging.Api.Idempotency;
using Messaging.Api.OpenApi;
using Messaging.Api.RateLimiting;
using Messaging.Application.Attachments;
using Messaging.Application.Common;
using Messaging.Application.Revocations;
using Messaging.Domain.Attachments;
using Messaging.Domain.Common;
using Messaging.Domain.ServiceKeys;
using Messaging.Infrastructure.Attachments;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;

namespace Messaging.Api.Attachments;

public static class AttachmentEndpoints
{
    /// <summary>Bytes of a body around the file.</summary>
    private const int Around = 65_536;

    public static IEndpointRouteBuilder MapAttachments(this IEndpointRouteBuilder app)
    {
        var limits = app.ServiceProvider.GetRequiredService<LimitSettings>();
        var attachments = app.MapGroup("/v1/attachments").WithTags("Attachments").RequireScope(Scope.Messages);

        // A repeated upload is another file, which is collected if no message names it.
        attachments.MapPost("", UploadAsync)
            .WithoutSendLimit("seen by others when a message names it, which takes one; its bytes are limited by the day")
            .WithBodyOf(Math.Max(limits.FileBytes, limits.ImageBytes) + Around).WithoutIdempotencyKey()
            .Accepts<UploadForm>("multipart/form-data")
            .Refuses([.. RefusalConventions.NotOpen, ProblemCodes.LimitReached, ProblemCodes.UnsafeFile, ProblemCodes.UndecodableFile])
            .WithName("uploadAttachment").WithSummary("Upload a file for a message in a conversation");
        attachments.MapGet("/{attachmentId:guid}", GetAsync)
            .WithName("getAttachment").WithSummary("An attachment with fresh URLs");

        app.MapGet("/files/{attachmentId:guid}/{variant}", OpenAsync).WithTags("Attachments").AllowAnonymous()
            .Produces<Stream>(StatusCodes.Status200OK, OperationDetails.AnyFile)
            .Produces<Stream>(StatusCodes.Status206PartialContent, OperationDetails.AnyFile)
            .Produces(StatusCodes.Status304NotModified)
            .Refuses(EdgeCodes.RangeNotSatisfiable, ProblemCodes.Unavailable)
            .WithName("openFile").WithSummary("Download a file by the signed URL of its attachment");
        return app;
    }

    private static async Task<Created<AttachmentView>> UploadAsync(
        HttpContext context, IMediator mediator, UploadLane lane, Spool spool, LimitSettings limits, RevocationList revocations,
        CancellationToken ct)
    {
        var actor = context.Actor();
        var user = actor.RequireUser();
        var most = Math.Max(limits.FileBytes, limits.ImageBytes);
        if (context.Request.ContentLength > most + Around)
            throw AttachmentErrors.TooLarge(most);
        using var turn = await lane.TakeAsync(user, ct);
        using var folder = spool.Create();
        var upload = await Upload.ReadAsync(
            context.Request, folder, limits, Around, id => mediator.Send(new AdmitUpload(actor, id), ct), ct);
        // A body may be long in coming.
        if (context.User.Credential() is { } credential && revocations.IsRevoked(credential))
            throw UserTokens.Revoked();
        var kept = await mediator.Send(upload.ToCommand(actor, folder), ct);
        return TypedResults.Created($"/v1/attachments/{kept.Id}", kept);
    }

    private static async Task<Ok<AttachmentView>> GetAsync(
        Guid attachmentId, HttpContext context, IMediator mediator, CancellationToken ct) =>
        TypedResults.Ok(await mediator.Send(new GetAttachment(context.Actor(), new AttachmentId(attachmentId)), ct));

    // Nothing in a file runs here, whatever a browser makes of it; and others may show it on their pages.
    private static async Task<IResult> OpenAsync(
        Guid attachmentId, string variant, HttpContext context, IMediator mediator, CancellationToken ct, long expires = 0,
        string? signature = null)
    {
        var ranges = context.Request.GetTypedHeaders().Range?.Ranges;
        var fromStart = (ranges is null || ranges.Any(range => range.From == 0)) && context.Response.Body != Stream.Null;
        var file = await mediator.Send(new OpenFile(new AttachmentId(attachmentId), variant, expires, signature, fromStart), ct);
        var disposition = new ContentDispositionHeaderValue(file.IsShown ? "inline" : "attachment");
        disposition.SetHttpFileName(file.FileName);
        var headers = context.Response.Headers;
        headers.ContentDisposition = disposition.ToString();
        headers.ContentSecurityPolicy = "default-src 'none'; sandbox";
        headers["Cross-Origin-Resource-Policy"] = "cross-origin";
        headers.CacheControl = "private, max-age=3600, immutable";
        return TypedResults.Stream(
            file.Content, file.ContentType, entityTag: new EntityTagHeaderValue($"\"{file.Tag}\""), enableRangeProcessing: true);
    }
}
