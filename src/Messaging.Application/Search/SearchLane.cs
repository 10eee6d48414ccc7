using System.Data.Common;
using Messaging.Application.Common;
using Messaging.Domain.Common;

namespace Messaging.Application.Search;

/// <summary>
/// Where searches wait and run, so that whatever is looked for keeps nothing else waiting: one at a time per user, few in all, on
/// connections of their own, each for a bounded time. One lane per node.
/// </summary>
public sealed class SearchLane : IAsyncDisposable
{
    /// <summary>Searches that run at once, each on one connection.</summary>
    public const int Places = 2;

    /// <summary>How long a search waits at most, and then how long it runs at most.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(2);

    private readonly Turns turns = new(Places, Longest);

    /// <summary>Runs the search when it is its turn, with a token that ends it; 503 when either takes too long.</summary>
    public async Task<T> RunAsync<T>(Actor actor, DbSession session, Func<CancellationToken, Task<T>> search, CancellationToken ct)
    {
        using var turn = await turns.TryTakeAsync(actor.UserId, ct) ?? throw Busy("Too many searches are running; try again.");
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(Longest);
        try
        {
            return await session.SearchAsync(() => search(limit.Token));
        }
        catch (Exception e) when (
            e is OperationCanceledException or DbException { SqlState: SqlStates.QueryCanceled } && !ct.IsCancellationRequested)
        {
            throw Busy("The search took too long; look for more or rarer words, or narrow it.");
        }
    }

    public ValueTask DisposeAsync() => turns.DisposeAsync();

    private static RuleException Busy(string detail) =>
        new(new Problem(ProblemCodes.Unavailable, detail) { RetryAfterSeconds = (int)Longest.TotalSeconds });
}
