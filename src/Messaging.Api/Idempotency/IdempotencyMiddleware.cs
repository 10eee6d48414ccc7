using System.Security.Cryptography;
using System.Text;
using System.Threading.RateLimiting;
using Messaging.Api.Errors;
using Messaging.Api.Security;
using Messaging.Application.Common;
using Messaging.Domain.Common;
using Messaging.Infrastructure.Idempotency;
using Microsoft.AspNetCore.Http.Features;

namespace Messaging.Api.Idempotency;

/// <summary>
/// One effect per Idempotency-Key: the answer is stored in the transaction of the effect and given again to every repeat. A
/// refusal is an answer, too; what may pass by itself (5xx, over a limit) is not stored.
/// </summary>
public sealed class IdempotencyMiddleware(RequestDelegate next) : IDisposable
{
    /// <summary>How many requests with a key one caller has running at once; each keeps a connection for as long as it runs.</summary>
    public const int AtOnce = 4;

    // Those beyond wait for their turn without one.
    private const int MaxWaiting = 100;

    private const int MaxKeyLength = 255;
    private const int Attempts = 5;
    private const string BeforeEffect = "before_effect";

    private readonly PartitionedRateLimiter<string> turns = PartitionedRateLimiter.Create<string, string>(caller =>
        RateLimitPartition.GetConcurrencyLimiter(
            caller, _ => new ConcurrencyLimiterOptions { PermitLimit = AtOnce, QueueLimit = MaxWaiting }));

    public void Dispose() => turns.Dispose();

    public Task InvokeAsync(HttpContext context)
    {
        var header = context.Request.Headers[IdempotencyConventions.Header];
        if (header.Count == 0 || context.GetEndpoint()?.TakesIdempotencyKey() != true || context.User.CallerKey() is not { } owner)
            return next(context);
        if (header is not [{ Length: >= 1 and <= MaxKeyLength } key] || key.AsSpan().ContainsAnyExceptInRange(' ', '~'))
            throw CommonErrors.Invalid(
                IdempotencyConventions.Header, $"One key of 1 to {MaxKeyLength} printable ASCII characters is expected.");
        return RunAsync(context, owner, key);
    }

    private async Task RunAsync(HttpContext context, string owner, string key)
    {
        var ct = context.RequestAborted;
        var session = context.RequestServices.GetRequiredService<DbSession>();
        var store = context.RequestServices.GetRequiredService<IdempotencyStore>();
        var body = await ReadAsync(context.Request.Body, ct);
        var fingerprint = Fingerprint(context.Request, body);
        using var turn = await turns.AcquireAsync(owner, permitCount: 1, ct);
        if (!turn.IsAcquired)
            throw TooMany();

        await session.BeginAsync(ct);
        var (locked, stored) = await store.FindAsync(owner, key, ct);
        if (!locked)
            throw InProgress();
        if (stored is not null)
        {
            await session.RollbackAsync();
            if (!stored.Fingerprint.AsSpan().SequenceEqual(fingerprint))
                throw Reused();
            await stored.WriteAsync(context.Response);
            return;
        }

        var answer = await AnswerAsync(context, session, body);
        if (IsKept(context.Response.StatusCode))
        {
            await store.SaveAsync(owner, key, StoredAnswers.Of(fingerprint, context.Response, answer), ct);
            await session.CommitAsync(ct);
        }
        else
        {
            await session.RollbackAsync();
        }
        if (answer.Length == 0)
            return;
        context.Response.ContentLength = answer.Length;
        await context.Response.Body.WriteAsync(answer, ct);
    }

    /// <summary>Runs the endpoint within the transaction, its answer held back; what it wrote is undone when it refuses.</summary>
    private async Task<byte[]> AnswerAsync(HttpContext context, DbSession session, byte[] body)
    {
        var client = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        await session.SaveAsync(BeforeEffect, context.RequestAborted);
        try
        {
            for (var attempt = 1; ; attempt++)
            {
                using var answer = new MemoryStream();
                // Without the client's own feature behind it: a handler that starts its answer must not send it before the commit.
                var held = new StreamResponseBodyFeature(answer);
                context.Features.Set<IHttpResponseBodyFeature>(held);
                context.Request.Body = new MemoryStream(body, writable: false);
                try
                {
                    await next(context);
                    await FrameworkProblems.CompleteAsync(context);
                }
                catch (ChangedMeanwhileException) when (attempt < Attempts)
                {
                    await session.RollbackToAsync(BeforeEffect, context.RequestAborted);
                    continue;
                }
                catch (Exception e)
                    when (ExceptionProblems.Of(context, e) is var problems && IsKept(ProblemKinds.Of(problems[0].Code).Status))
                {
                    await session.RollbackToAsync(BeforeEffect, context.RequestAborted);
                    await context.WriteProblemAsync(problems);
                }
                await held.CompleteAsync();
                return answer.ToArray();
            }
        }
        finally
        {
            context.Features.Set(client);
        }
    }

    private static bool IsKept(int status) =>
        status < 500 && status is not (StatusCodes.Status408RequestTimeout or StatusCodes.Status429TooManyRequests);

    private static async Task<byte[]> ReadAsync(Stream body, CancellationToken ct)
    {
        using var buffer = new MemoryStream();
        await body.CopyToAsync(buffer, ct);
        return buffer.ToArray();
    }

    private static byte[] Fingerprint(HttpRequest request, byte[] body)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"{request.Method} {request.Path}{request.QueryString}\n"));
        hash.AppendData(body);
        return hash.GetHashAndReset();
    }

    private static RuleException TooMany() => new(new Problem(
        ProblemCodes.Unavailable, $"{MaxWaiting} of your requests with an Idempotency-Key wait already; send this one again in a moment.")
    {
        RetryAfterSeconds = 1,
    });

    private static RuleException InProgress() => new(new Problem(
        EdgeCodes.IdempotencyInProgress, "A request with this Idempotency-Key is being worked on; repeat it in a moment for its answer.")
    {
        RetryAfterSeconds = 1,
    });

    private static RuleException Reused() => new(new Problem(
        ProblemCodes.IdempotencyKeyReused, "This Idempotency-Key was used for another request; choose a new one.",
        IdempotencyConventions.Header));
}
