using MediatR;

namespace Messaging.Application.Common;

/// <summary>A request that changes something: it hands on to the one writer, or writes in a statement of its own.</summary>
public interface ICommand<TResult> : IRequest<TResult>;

/// <summary>A command that has one transaction for all that it does: it makes or ends something, or changes what stands between people.</summary>
public interface ITransactionCommand<TResult> : ICommand<TResult>;

/// <summary>A request that reads.</summary>
public interface IQuery<TResult> : IRequest<TResult>;

/// <summary>The result of a command with nothing to tell.</summary>
public readonly record struct Done;
