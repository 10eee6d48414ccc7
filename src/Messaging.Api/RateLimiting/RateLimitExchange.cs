using System.Collections.Concurrent;
using System.Diagnostics;
using Messaging.Application.Bus;

namespace Messaging.Api.RateLimiting;

/// <summary>
/// What the nodes tell each other about budgets that are in use. Each may admit its share of what is left, then waits until all others have
/// confirmed what it took; so together they never admit more than there is, and a caller of one node can use nearly all of it.
/// </summary>
public sealed class RateLimitExchange : IDisposable
{
    public const string Topic = "rate-limits";

    // Of JSON in one message, which fits the bus.
    private const int LongestCounts = 6_000;

    // Numbers to one node in one message. Whoever is not confirmed tells again.
    private const int MostConfirmed = 20;

    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(250);

    private readonly IBus bus;
    private readonly ConcurrentDictionary<string, RateLimitWindows> budgets = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<RateLimitWindow, byte> dirty = new();
    private readonly Lock gate = new();
    private readonly Dictionary<long, Report> underway = [];
    private readonly Dictionary<string, List<long>> toConfirm = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim raised = new(0, 1);
    private TaskCompletionSource heard = NewPulse();
    private HashSet<string> others = new(StringComparer.Ordinal);
    private long lastNo;
    private volatile int nodes = 1;
    private volatile bool isUp;

    public RateLimitExchange(IBus bus)
    {
        this.bus = bus;
        bus.Subscribe<Word>(Topic, Hear);
        bus.OnConnected(TellAll);
    }

    /// <summary>The nodes among which budgets are shared; while the bus is down those that there were last.</summary>
    public int Nodes => nodes;

    /// <summary>Whether others' word can be waited for.</summary>
    public bool IsUp => isUp;

    /// <summary>Completes with the next word of another node.</summary>
    public Task Heard => Volatile.Read(ref heard).Task;

    /// <summary>Has the others told of the budget's counts, and the budget of theirs.</summary>
    public void Join(string budget, RateLimitWindows windows) => budgets[budget] = windows;

    /// <summary>Has the others told soon how much is used.</summary>
    public void Tell(RateLimitWindow window)
    {
        if (dirty.TryAdd(window, 0))
            Raise();
    }

    /// <summary>Returns when there is something to tell, or after a while.</summary>
    public Task WaitAsync(CancellationToken ct) => raised.WaitAsync(Patience, ct);

    /// <summary>Tells the others what there is to tell; to be called again and again.</summary>
    public void Flush()
    {
        lock (gate)
        {
            LookAround();
            GiveUpOnSilence();
            if (!isUp || others.Count == 0)
            {
                // Whoever comes, or comes back, is told of everything.
                dirty.Clear();
                toConfirm.Clear();
                return;
            }
            foreach (var some in Chunks(TakeDirty()))
            {
                underway[++lastNo] = new Report(some, [.. others], Stopwatch.GetTimestamp());
                bus.Publish(Topic, new Word(lastNo, [.. some.Select(ToldOf)], []));
            }
            // After what this node has used itself: see RateLimitWindow.
            if (toConfirm.Count > 0)
                bus.Publish(Topic, new Word(0, [], toConfirm));
            toConfirm.Clear();
        }
    }

    public void Dispose() => raised.Dispose();

    private void LookAround()
    {
        isUp = bus.IsUp;
        var now = bus.Others.ToHashSet(StringComparer.Ordinal);
        nodes = now.Count + 1;
        if (now.IsSubsetOf(others))
            others = now;
        else
        {
            others = now;
            TellAll();
        }
    }

    // A node that is new, or was cut off, knows nothing of what was used before.
    private void TellAll()
    {
        foreach (var window in budgets.Values.SelectMany(windows => windows.InUse()))
            Tell(window);
    }

    private void GiveUpOnSilence()
    {
        foreach (var (no, report) in underway)
        {
            report.Missing.IntersectWith(others);
            var isOver = report.Missing.Count > 0 && Stopwatch.GetElapsedTime(report.SentAt) >= Patience;
            if (report.Missing.Count > 0 && !isOver)
                continue;
            underway.Remove(no);
            foreach (var count in report.Counts)
            {
                if (!isOver)
                    count.Window.Confirm(count);
                else if (count.Window.IsUnconfirmed(count))
                    Tell(count.Window);
            }
        }
    }

    private List<RateLimitCount> TakeDirty()
    {
        var counts = new List<RateLimitCount>();
        foreach (var (window, _) in dirty)
        {
            dirty.TryRemove(window, out _);
            if (window.Report(others) is { } count)
                counts.Add(count);
        }
        return counts;
    }

    private static IEnumerable<List<RateLimitCount>> Chunks(List<RateLimitCount> counts)
    {
        var (some, length) = (new List<RateLimitCount>(), 0);
        foreach (var count in counts)
        {
            // A letter takes up to six, a node that is gone fewer than fifty, and the rest of a count fewer than a hundred.
            var its = (6 * count.Window.Key.Length) + (50 * count.Gone.Count) + 100;
            if (some.Count > 0 && length + its > LongestCounts)
            {
                yield return some;
                (some, length) = ([], 0);
            }
            some.Add(count);
            length += its;
        }
        if (some.Count > 0)
            yield return some;
    }

    private static Told ToldOf(RateLimitCount count) =>
        new(count.Window.Budget, count.Window.Key, count.AgeMilliseconds, count.Used, count.Gone);

    // Whoever takes this node for gone knows less of it than itself.
    private IEnumerable<KeyValuePair<string, int>> UsesOf(string node, Told told) =>
        (told.Gone ?? new Dictionary<string, int>()).Where(use => use.Key != bus.Node).Append(KeyValuePair.Create(node, told.Used));

    private void Hear(string node, Word word)
    {
        foreach (var told in word.Counts)
        {
            if (budgets.TryGetValue(told.Budget, out var windows)
                && windows.Hear(told.Key, TimeSpan.FromMilliseconds(told.Age), UsesOf(node, told)) is { } window)
                Tell(window);
        }
        lock (gate)
        {
            if (word.No > 0)
                NoteToConfirm(node, word.No);
            foreach (var no in word.Heard.GetValueOrDefault(bus.Node) ?? [])
            {
                if (!underway.TryGetValue(no, out var report) || !report.Missing.Remove(node) || report.Missing.Count > 0)
                    continue;
                underway.Remove(no);
                report.Counts.ForEach(count => count.Window.Confirm(count));
            }
        }
        Interlocked.Exchange(ref heard, NewPulse()).TrySetResult();
    }

    private void NoteToConfirm(string node, long no)
    {
        if (!toConfirm.TryGetValue(node, out var numbers))
            toConfirm[node] = numbers = [];
        if (numbers.Count < MostConfirmed)
            numbers.Add(no);
        Raise();
    }

    private void Raise()
    {
        lock (raised)
        {
            if (raised.CurrentCount == 0)
                raised.Release();
        }
    }

    private static TaskCompletionSource NewPulse() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed record Report(List<RateLimitCount> Counts, HashSet<string> Missing, long SentAt);

    private sealed record Word(long No, IReadOnlyList<Told> Counts, Dictionary<string, List<long>> Heard);

    private sealed record Told(string Budget, string Key, int Age, int Used, IReadOnlyDictionary<string, int>? Gone);
}
