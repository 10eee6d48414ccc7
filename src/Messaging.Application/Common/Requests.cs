using MediatR;

namespace Messaging.Application.Common;

/// <summary>A request that changes something: by the one writer, or in round trips that are each committed by themselves.</summary>
public interface ICommand<TResult> : IRequest<TResult>;

/// <summary>
/// A command that has one transaction for all that it does: it makes or deletes a conversation, changes what stands between two people,
/// reports a message, or changes one's own profile.
/// </summary>
public interface ITransactionCommand<TResult> : ICommand<TResult>;

/// <summary>A request that reads.</summary>
public interface IQuery<TResult> : IRequest<TResult>;

/// <summary>The result of a command with nothing to tell.</summary>
public readonly record struct Done;

/// <summary>What a command made, or found made already.</summary>
/// <param name="Value">As it stands now.</param>
/// <param name="Created">Whether this call made it.</param>
public sealed record Upserted<T>(T Value, bool Created);
