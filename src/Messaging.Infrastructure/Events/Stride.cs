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
    /// Whether what events hold can be the cause; not where the database is away or slow, or where a table or a right is missing.
    /// </summary>
    public static bool IsOfEvents(Exception failure) =>
        !DatabaseFailures.IsAway(failure) && failure is not (OperationCanceledException or PostgresException { SqlState: ['4', '2', ..] });
}
