using Messaging.Domain.Common;

namespace Messaging.Api.Errors;

/// <summary>
/// Gives every refusal its body: what was thrown below, and what the framework answers without one. Outermost but for what
/// adds headers, since nothing may pass it by.
/// </summary>
public sealed class ErrorMiddleware(RequestDelegate next, ILogger<ErrorMiddleware> logger)
{
    // What a reverse proxy logs for it; nobody receives it.
    private const int ClientClosedRequest = 499;

    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context);
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            await AnswerAsync(context, e);
            return;
        }

        await FrameworkProblems.CompleteAsync(context);
    }

    private async Task AnswerAsync(HttpContext context, Exception exception)
    {
        if (context.RequestAborted.IsCancellationRequested)
        {
            context.Response.StatusCode = ClientClosedRequest;
            logger.LogDebug("{Method} {Route}: the client went away", context.Request.Method, Route(context));
            return;
        }
        var problems = ExceptionProblems.Of(context, exception);
        switch (problems[0].Code)
        {
            case ProblemCodes.Internal:
                logger.LogError(exception, "{Method} {Route} failed", context.Request.Method, Route(context));
                break;
            case ProblemCodes.Unavailable:
                logger.LogWarning(
                    "{Method} {Route} could not be served: {Reason}", context.Request.Method, Route(context), exception.GetType().Name);
                break;
        }
        await context.WriteProblemAsync(problems);
    }

    // The route as it was mapped: a path may hold what the log must not.
    private static string? Route(HttpContext context) => (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText;
}
