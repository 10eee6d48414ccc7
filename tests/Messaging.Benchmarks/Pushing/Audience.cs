using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Diagnostics;

namespace Messaging.Benchmarks.Pushing;

/// <summary>Users with a hub connection each, who note when they hear of a message that somebody else has sent.</summary>
sealed class Audience : IAsyncDisposable
{
    static readonly TimeSpan PingEvery = TimeSpan.FromSeconds(10);

    readonly List<HubConnection> connections = [];
    readonly List<Task> listening = [];
    readonly CancellationTokenSource end = new();
    readonly ConcurrentBag<long> latencies = [];
    readonly byte[] keyPrefix;
    readonly long[] sentAt;
    readonly int[] hearer;

    /// <param name="keyPrefix">What the messages' names begin with; their numbers follow in hexadecimal digits.</param>
    /// <param name="capacity">The most messages that are sent.</param>
    public Audience(string keyPrefix, int capacity)
    {
        this.keyPrefix = System.Text.Encoding.ASCII.GetBytes($"\"{keyPrefix}");
        sentAt = new long[capacity];
        hearer = new int[capacity];
    }

    public int Heard => latencies.Count;

    public int Closed => listening.Count(task => task.IsCompleted);

    /// <summary>Connects each user, some at a time.</summary>
    public async Task ConnectAsync(int port, IEnumerable<string> tokens, CancellationToken ct)
    {
        foreach (var some in tokens.Chunk(20))
        {
            foreach (var connection in await Task.WhenAll(some.Select(token => HubConnection.OpenAsync(port, token, ct))))
            {
                var number = connections.Count;
                connections.Add(connection);
                listening.Add(Task.Run(() => ListenAsync(connection, number), ct));
            }
        }

        listening.Add(Task.Run(PingAsync, ct));
    }

    /// <summary>To be called just before message <paramref name="message"/> is sent.</summary>
    public void Sending(int message, int whoHears)
    {
        hearer[message] = whoHears;
        Volatile.Write(ref sentAt[message], Stopwatch.GetTimestamp());
    }

    /// <summary>The times from a send until it was heard since the last call, shortest first.</summary>
    public long[] TakeLatencies()
    {
        var taken = latencies.ToArray();
        latencies.Clear();
        Array.Sort(taken);
        return taken;
    }

    public async ValueTask DisposeAsync()
    {
        await end.CancelAsync();
        await Task.WhenAll(listening);
        connections.ForEach(connection => connection.Dispose());
        end.Dispose();
    }

    async Task ListenAsync(HubConnection connection, int number)
    {
        try
        {
            await connection.ReceiveAsync(frame => Hear(frame.Span, number), end.Token);
        }
        catch (OperationCanceledException)
        {
            // The benchmark is over.
        }
    }

    bool Hear(ReadOnlySpan<byte> frame, int number)
    {
        var now = Stopwatch.GetTimestamp();
        for (var at = frame.IndexOf(keyPrefix); at >= 0; at = frame.IndexOf(keyPrefix))
        {
            frame = frame[(at + keyPrefix.Length)..];
            if (Utf8Parser.TryParse(frame, out int message, out _, 'x') && hearer[message] == number)
                latencies.Add(now - Volatile.Read(ref sentAt[message]));
        }

        return true;
    }

    async Task PingAsync()
    {
        using var timer = new PeriodicTimer(PingEvery);
        try
        {
            while (await timer.WaitForNextTickAsync(end.Token))
                await Task.WhenAll(connections.Select(connection => connection.PingAsync(end.Token)));
        }
        catch (OperationCanceledException)
        {
            // The benchmark is over.
        }
    }
}
