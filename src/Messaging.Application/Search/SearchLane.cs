using System.Data.Common;
using Messaging.Application.Common;
using Messaging.Domain.Common;

namespace Messaging.Application.Search;

/// <summary>
/// Where searches wait and run, so that whatever is looked for keeps nothing else waiting: one at a time per user, few in all, on
/// connections of their own, each for a bounded time. Whose search ran out of time rests before the next, so that a few who search for
/// what takes longest leave the lane to all others. One lane per node.
/// </summary>
public sealed class SearchLane(TimeProvider time) : IAsyncDisposable
{
    /// <summary>
    /// Searches that run at once, each on one connection: what takes longest leaves the other cores of a small machine alone.
    /// </summary>
    public const int Places = 1;

    /// <summary>How long a search runs at most.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(2);

    // Six that run out of time end before it, with time to spare.
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(14);

    // Whoever goes away later than this would else hold a place almost as long as one may, over and over.
    private static readonly TimeSpan LateToGiveUp = TimeSpan.FromSeconds(1);

    private readonly UserQueue turns = new(Places, MaxWait);
    private readonly Cooldowns rests = new(TimeSpan.FromSeconds(10), most: 10_000, time);

    /// <summary>Runs the search when it is its turn, with a token that ends it; 503 when either takes too long, and in a rest.</summary>
    /// <param name="serviceKeyId">The key with which the service calls; those rest who have used it.</param>
    public async Task<T> RunAsync<T>(
        Actor actor, string? serviceKeyId, DbSession session, Func<CancellationToken, Task<T>> search, CancellationToken ct)
    {
        var who = actor.UserId is { } user ? $"user:{user}" : $"key:{serviceKeyId}";
        EnsureRested(who);
        using var turn = await turns.TryTakeAsync(actor.UserId, ct) ?? throw Busy("Too many searches are running; try again.", Longest);
        // What it has waited for may have been another search of the same user.
        EnsureRested(who);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(Longest);
        var start = time.GetTimestamp();
        try
        {
            return await session.SearchAsync(() => search(limit.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or DbException { SqlState: SqlStates.QueryCanceled })
        {
            var isGivenUp = ct.IsCancellationRequested;
            if (!isGivenUp || time.GetElapsedTime(start) >= LateToGiveUp)
                rests.Begin(who);
            if (isGivenUp)
                throw;
            throw Busy("The search took too long; look for more or rarer words, or narrow it.", rests.Left(who));
        }
    }

    public ValueTask DisposeAsync() => turns.DisposeAsync();

    private void EnsureRested(string who)
    {
        if (rests.Left(who) is { Ticks: > 0 } left)
        {
            throw Busy(
                "Your last search took too long, so the next one waits a little; look for more or rarer words then, or narrow it.", left);
        }
    }

    private static RuleException Busy(string detail, TimeSpan wait) =>
        new(new Problem(ProblemCodes.Unavailable, detail) { RetryAfterSeconds = Math.Max((int)Math.Ceiling(wait.TotalSeconds), 1) });
}
