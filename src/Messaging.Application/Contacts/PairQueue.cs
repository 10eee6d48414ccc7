using Messaging.Domain.Common;

namespace Messaging.Application.Contacts;

/// <summary>
/// Limits how many requests wait for the locks of pairs of users, because each occupies one of the connections for commands, of which there
/// are 20 by default. A request that gets its lock at once does not count. When all places are taken, the user with the most gives one up
/// to a user with fewer, and anyone to a user who blocks: a few users with many requests keep nobody out.
/// </summary>
public sealed class PairQueue : IAsyncDisposable
{
    public const int MaxWaiting = 10;

    /// <summary>Of one user who blocks or unblocks.</summary>
    public const int MaxBlocking = 2;

    /// <summary>Where requests wait before they begin a transaction.</summary>
    public PairTurns Turns { get; } = new();

    private readonly Lock gate = new();
    private readonly List<Place> places = [];

    /// <summary>Waits for the task; refuses if too many are waiting.</summary>
    /// <param name="blocks">
    /// Whether the caller blocks or unblocks: what the other user does does not count against the limit.
    /// </param>
    public async Task WaitAsync(UserId caller, bool blocks, Func<CancellationToken, Task> wait, CancellationToken ct)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var place = new Place(caller, blocks, waiting);
        Enter(place);
        try
        {
            await wait(waiting.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            // The place was given to another request.
            throw CommonErrors.Busy();
        }
        finally
        {
            lock (gate)
                places.Remove(place);
        }
    }

    public ValueTask DisposeAsync() => Turns.DisposeAsync();

    private void Enter(Place place)
    {
        lock (gate)
        {
            if (place.Blocks && CountOf(place) >= MaxBlocking)
                throw CommonErrors.Busy();
            if (places.Count >= MaxWaiting)
                MakeRoomFor(place);
            places.Add(place);
        }
    }

    private void MakeRoomFor(Place place)
    {
        // The newest place of the user with the most; one of a user who blocks only if there is no other.
        var last = places.AsEnumerable().Reverse().Where(one => place.Blocks || !one.Blocks)
            .OrderBy(one => one.Blocks).ThenByDescending(CountOf).FirstOrDefault();
        if (last is null || (last.Blocks == place.Blocks && CountOf(last) <= CountOf(place) + 1))
            throw CommonErrors.Busy();
        places.Remove(last);
        _ = last.Waiting.CancelAsync();
    }

    private int CountOf(Place place) => places.Count(one => one.Caller == place.Caller && one.Blocks == place.Blocks);

    private sealed record Place(UserId Caller, bool Blocks, CancellationTokenSource Waiting);
}
