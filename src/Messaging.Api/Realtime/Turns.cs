using System.Runtime.InteropServices;

namespace Messaging.Api.Realtime;

/// <summary>Lets one at a time do some work for a key, such as a user; others of that key wait for their turn, but not for ever.</summary>
public sealed class Turns(TimeSpan patience)
{
    private readonly Dictionary<string, Turn> turns = new(StringComparer.Ordinal);

    /// <summary>How many keys are at work, for checks that it does not grow.</summary>
    public int Count
    {
        get
        {
            lock (turns)
                return turns.Count;
        }
    }

    /// <summary>The turn, which ends when it is disposed; null when it did not come in time.</summary>
    public async Task<IDisposable?> TryTakeAsync(string key, CancellationToken ct)
    {
        var turn = Join(key);
        var isMine = false;
        try
        {
            isMine = await turn.Gate.WaitAsync(patience, ct);
            return isMine ? turn : null;
        }
        finally
        {
            if (!isMine)
                Leave(turn);
        }
    }

    private Turn Join(string key)
    {
        lock (turns)
        {
            var turn = CollectionsMarshal.GetValueRefOrAddDefault(turns, key, out _) ??= new Turn(this, key);
            turn.Users++;
            return turn;
        }
    }

    private void Leave(Turn turn)
    {
        lock (turns)
        {
            if (--turn.Users == 0)
                turns.Remove(turn.Key);
        }
    }

    // One for all of a key, who have it one after the other.
    private sealed class Turn(Turns all, string key) : IDisposable
    {
        public string Key { get; } = key;

        public SemaphoreSlim Gate { get; } = new(1, 1);

        public int Users { get; set; }

        public void Dispose()
        {
            Gate.Release();
            all.Leave(this);
        }
    }
}
