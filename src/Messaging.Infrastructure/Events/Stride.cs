using System.Data.Common;
using Messaging.Infrastructure.Database;
using Npgsql;

namespace Messaging.Infrastructure.Events;

/// <summary>
/// How many events of the feed are worked on in one transaction: as many as there are, half as many after each failure, and more again
/// while it goes well. So what is too much at once gets done, and an event that always fails is found.
/// </summary>
/// <param name="most">How many at most.</param>
public sealed class Stride(int most = FeedTail.BatchSize)
{
    private readonly int most = most;

    /// <summary>How many are read next.</summary>
    public int Length { get; private set; } = most;

    /// <summary>To be called when the work is committed.</summary>
    /// <param name="read">How many there were.</param>
    /// <param name="done">How many of them were worked on.</param>
    public void Succeeded(int read, int done) => Length = Math.Min(most, 2 * (done < read ? done : Length));

    /// <summary>To be called when the work has failed.</summary>
    /// <returns>Whether to pass over the one event that there was: it is what fails, not the database.</returns>
    public bool Failed(Exception failure, int read)
    {
        Length = Math.Max(1, read / 2);
        return read == 1 && IsOfEvents(failure);
    }

    /// <summary>
    /// Whether what an event holds is the cause: the database says so of a value, or something could not be made of it. Where the database
    /// is away, broken or changed, or memory is short, the next events would fail as well, and be lost.
    /// </summary>
    public static bool IsOfEvents(Exception failure) => failure switch
    {
        // Data, a constraint, a limit of the server's.
        PostgresException { SqlState: ['2', '2' or '3', ..] or ['5', '4', ..] } => true,
        DbException or IOException or ObjectDisposedException or OperationCanceledException or OutOfMemoryException => false,
        _ => !DatabaseFailures.IsAway(failure),
    };
}
