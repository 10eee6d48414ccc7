using Messaging.Api.Errors;
using Messaging.Domain.Common;
using Microsoft.AspNetCore.SignalR;

namespace Messaging.Api.Realtime;

/// <summary>Turns what was thrown into what clients of the hub are told: the problem's code and detail, the same as over REST.</summary>
public sealed class HubErrors(ILogger<HubErrors> logger)
{
    public HubException Of(Exception exception, string method)
    {
        if (exception is HubException known)
            return known;
        var problems = ExceptionProblems.Of(exception);
        if (problems[0].Code is ProblemCodes.Internal)
            logger.LogError(exception, "{Method} failed", method);
        else if (problems[0].Code is ProblemCodes.Unavailable)
            logger.LogWarning("{Method} could not be served: {Reason}", method, exception.GetType().Name);
        return new HubException($"{problems[0].Code}: {string.Join(' ', problems.Select(problem => problem.Detail))}");
    }
}

/// <summary>The hub's one place for errors.</summary>
public sealed class HubErrorFilter(HubErrors errors) : IHubFilter
{
    public async ValueTask<object?> InvokeMethodAsync(
        HubInvocationContext invocationContext, Func<HubInvocationContext, ValueTask<object?>> next)
    {
        var connection = MessagingLifetime.LiveOf(invocationContext.Context.Items);
        connection.BeginCall();
        try
        {
            // Calls may have been on their way when the connection was closed.
            if (connection.HasEnded)
                throw new RuleException(
                    new Problem(ProblemCodes.Unauthenticated, "The credential of this connection has expired or been revoked."));
            return await next(invocationContext);
        }
        catch (Exception e)
        {
            throw errors.Of(e, invocationContext.HubMethodName);
        }
        finally
        {
            connection.EndCall();
        }
    }

    public async Task OnConnectedAsync(HubLifetimeContext context, Func<HubLifetimeContext, Task> next)
    {
        try
        {
            await next(context);
        }
        catch (Exception e)
        {
            throw errors.Of(e, nameof(OnConnectedAsync));
        }
    }
}
