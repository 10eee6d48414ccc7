using Messaging.Domain.Accounts;
using Messaging.Domain.Common;

namespace Messaging.Infrastructure.Accounts;

/// <summary>
/// Lets a few at a time work, the origins in turn: whoever sends a hundred waits behind everybody else's first. What an origin may have
/// waiting is bounded, and so is the wait.
/// </summary>
public sealed class FairQueue(int places, int mostPerOrigin, TimeSpan patience)
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, Line> lines = new(StringComparer.Ordinal);
    private readonly Queue<Line> next = new();
    private int free = places;

    /// <summary>Works when it is the origin's turn.</summary>
    /// <exception cref="RuleException">The origin has too many waiting, or all of them together are too many.</exception>
    public async Task<T> RunAsync<T>(string origin, Func<T> work, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        var turn = Enter(origin);
        try
        {
            await turn.Came.Task.WaitAsync(patience, ct);
            return work();
        }
        catch (TimeoutException)
        {
            throw AccountErrors.TooManyInAll();
        }
        finally
        {
            Leave(turn);
        }
    }

    private Turn Enter(string origin)
    {
        lock (gate)
        {
            if (!lines.TryGetValue(origin, out var line))
                lines.Add(origin, line = new Line(origin));
            if (line.Inside == mostPerOrigin)
                throw AccountErrors.TooManyAtOnce(mostPerOrigin);
            line.Inside++;
            var turn = new Turn(line);
            line.Waiting.AddLast(turn);
            Queue(line);
            CallNext();
            return turn;
        }
    }

    private void Leave(Turn turn)
    {
        lock (gate)
        {
            if (--turn.Line.Inside == 0)
                lines.Remove(turn.Line.Origin);
            // Who gave up waiting has no place to give back.
            if (!turn.Line.Waiting.Remove(turn))
                free++;
            CallNext();
        }
    }

    private void CallNext()
    {
        while (free > 0 && next.TryDequeue(out var line))
        {
            line.IsQueued = false;
            if (line.Waiting.First is not { Value: var turn })
                continue;
            line.Waiting.RemoveFirst();
            free--;
            turn.Came.SetResult();
            Queue(line);
        }
    }

    private void Queue(Line line)
    {
        if (line.IsQueued || line.Waiting.Count == 0)
            return;
        line.IsQueued = true;
        next.Enqueue(line);
    }

    private sealed class Turn(Line line)
    {
        public Line Line => line;

        // Not within the lock that calls it.
        public TaskCompletionSource Came { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed class Line(string origin)
    {
        public string Origin => origin;

        /// <summary>Those who wait, in their order.</summary>
        public LinkedList<Turn> Waiting { get; } = new();

        /// <summary>Those who wait or work.</summary>
        public int Inside { get; set; }

        public bool IsQueued { get; set; }
    }
}
