using MediatR;

namespace Messaging.Application.Common;

/// <summary>A request that changes something. Runs in one transaction unless it is <see cref="IStatementCommand{TResult}"/>.</summary>
public interface ICommand<TResult> : IRequest<TResult>;

/// <summary>A command that writes in one statement, which is its own transaction: the hot paths, spared two round trips.</summary>
public interface IStatementCommand<TResult> : ICommand<TResult>;

/// <summary>A request that reads.</summary>
public interface IQuery<TResult> : IRequest<TResult>;

/// <summary>The result of a command with nothing to tell.</summary>
public readonly record struct Done;
