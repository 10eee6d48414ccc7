using System.Data.Common;
using Messaging.Application.Common;
using Messaging.Domain.Common;

namespace Messaging.Application.Search;

/// <summary>
/// Where searches wait and run, so that whatever is looked for keeps nothing else waiting: one at a time per user, few in all, on
/// connections of their own, each for a bounded time. One lane per node.
/// </summary>
public sealed class SearchLane : IDisposable
{
    /// <summary>Searches that run at once, each on one connection.</summary>
    public const int Places = 2;

    /// <summary>How long a search waits at most, and then how long it runs at most.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim places = new(Places);
    private readonly Dictionary<UserId, Turns> turns = [];

    /// <summary>Runs the search when it is its turn, with a token that ends it; 503 when either takes too long.</summary>
    public async Task<T> RunAsync<T>(Actor actor, DbSession session, Func<CancellationToken, Task<T>> search, CancellationToken ct)
    {
        var own = actor.UserId is { } user ? Join(user) : null;
        try
        {
            await WithinAsync(token => EnterAsync(own, token), "Too many searches run just now; try again.", ct);
            try
            {
                return await WithinAsync(
                    token => session.SearchAsync(() => search(token)), "The search took too long; look for more or rarer words, or narrow it.", ct);
            }
            finally
            {
                places.Release();
                own?.One.Release();
            }
        }
        finally
        {
            Leave(own);
        }
    }

    public void Dispose() => places.Dispose();

    private async Task<bool> EnterAsync(Turns? own, CancellationToken ct)
    {
        if (own is not null)
            await own.One.WaitAsync(ct);
        try
        {
            await places.WaitAsync(ct);
            return true;
        }
        catch
        {
            own?.One.Release();
            throw;
        }
    }

    private static async Task<T> WithinAsync<T>(Func<CancellationToken, Task<T>> work, string whenLate, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(Longest);
        try
        {
            return await work(limit.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or DbException { SqlState: SqlStates.QueryCanceled } && !ct.IsCancellationRequested)
        {
            throw new RuleException(new Problem(ProblemCodes.Unavailable, whenLate) { RetryAfterSeconds = (int)Longest.TotalSeconds });
        }
    }

    private Turns Join(UserId user)
    {
        lock (turns)
        {
            if (!turns.TryGetValue(user, out var own))
                turns.Add(user, own = new Turns(user));
            own.Searches++;
            return own;
        }
    }

    private void Leave(Turns? own)
    {
        if (own is null)
            return;
        lock (turns)
        {
            if (--own.Searches == 0)
                turns.Remove(own.User);
        }
    }

    /// <summary>The searches of one user, which take turns.</summary>
    private sealed class Turns(UserId user)
    {
        public UserId User => user;

        public SemaphoreSlim One { get; } = new(1);

        public int Searches { get; set; }
    }
}
