using MediatR;

namespace Messaging.Application.Common;

/// <summary>A request that changes something. Runs in one transaction unless it is <see cref="IStatementCommand{TResult}"/>.</summary>
public interface ICommand<TResult> : IRequest<TResult>;

/// <summary>A command that needs no transaction of its request: it writes in one statement, or hands on to the one writer.</summary>
public interface IStatementCommand<TResult> : ICommand<TResult>;

/// <summary>A request that reads.</summary>
public interface IQuery<TResult> : IRequest<TResult>;

/// <summary>The result of a command with nothing to tell.</summary>
public readonly record struct Done;
