using MediatR;

namespace Messaging.Application.Common;

/// <summary>A request that changes something: through the one writer, or in round trips that are committed one by one.</summary>
public interface ICommand<TResult> : IRequest<TResult>;

/// <summary>
/// A command that does everything in one transaction: it creates or deletes a conversation, changes the relationship of two users, reports
/// a message, or changes the user's own profile.
/// </summary>
public interface ITransactionCommand<TResult> : ICommand<TResult>;

/// <summary>Why an <see cref="ITransactionCommand{TResult}"/> needs one transaction, and holds locks through several round trips.</summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class OneTransactionAttribute(string reason) : Attribute
{
    public string Reason { get; } = reason;
}

/// <summary>A request that reads.</summary>
public interface IQuery<TResult> : IRequest<TResult>;

/// <summary>The result of a command that returns nothing.</summary>
public readonly record struct Done;

/// <summary>The result of a command that creates something unless it exists.</summary>
/// <param name="Value">Its current state.</param>
/// <param name="Created">Whether this call created it.</param>
public sealed record Upserted<T>(T Value, bool Created);
