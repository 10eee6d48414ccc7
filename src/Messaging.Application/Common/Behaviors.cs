using System.Diagnostics;
using FluentValidation;
using MediatR;
using Messaging.Domain.Common;
using Microsoft.Extensions.Logging;

namespace Messaging.Application.Common;

/// <summary>Names the request, never its content.</summary>
public sealed class LoggingBehavior<TRequest, TResult>(ILogger<LoggingBehavior<TRequest, TResult>> logger)
    : IPipelineBehavior<TRequest, TResult>
{
    public async Task<TResult> Handle(TRequest request, CancellationToken ct, RequestHandlerDelegate<TResult> next)
    {
        if (!logger.IsEnabled(LogLevel.Debug))
            return await next();
        var started = Stopwatch.GetTimestamp();
        var result = await next();
        logger.LogDebug("{Request} took {Milliseconds} ms", typeof(TRequest).Name, Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        return result;
    }
}

/// <summary>Shape before rule: all that is wrong with a request is said at once.</summary>
public sealed class ValidationBehavior<TRequest, TResult>(IEnumerable<IValidator<TRequest>> validators)
    : IPipelineBehavior<TRequest, TResult>
{
    public Task<TResult> Handle(TRequest request, CancellationToken ct, RequestHandlerDelegate<TResult> next)
    {
        List<Problem>? problems = null;
        foreach (var validator in validators)
        {
            foreach (var failure in validator.Validate(request).Errors)
            {
                (problems ??= []).Add(new Problem(
                    failure.ErrorCode == ProblemCodes.UserNeeded ? failure.ErrorCode : ProblemCodes.InvalidRequest, failure.ErrorMessage,
                    MemberPath.Of(failure.PropertyName)));
            }
        }
        return problems is null ? next() : throw new RuleException(problems);
    }
}

/// <summary>
/// The transaction of a command that has one, begun here unless one is open already, and the request run again when what it was decided on
/// changed before it was written. Queries take their connections from a pool of their own.
/// </summary>
public sealed class TransactionBehavior<TRequest, TResult>(DbSession session) : IPipelineBehavior<TRequest, TResult>
{
    private const int Attempts = 5;

    public Task<TResult> Handle(TRequest request, CancellationToken ct, RequestHandlerDelegate<TResult> next)
    {
        if (session.InTransaction)
            return next();
        return request is ICommand<TResult>
            ? RunAsync(request is ITransactionCommand<TResult>, next, ct)
            : session.ReadAsync(() => RunAsync(transaction: false, next, ct));
    }

    private async Task<TResult> RunAsync(bool transaction, RequestHandlerDelegate<TResult> next, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                if (!transaction)
                    return await next();
                await session.BeginAsync(ct);
                var result = await next();
                await session.CommitAsync(ct);
                return result;
            }
            catch (ChangedMeanwhileException) when (attempt < Attempts)
            {
                await session.RollbackAsync();
            }
            catch
            {
                await session.RollbackAsync();
                throw;
            }
        }
    }
}
