using System.Collections.Concurrent;
using System.Diagnostics;

namespace Messaging.EndToEnd.Tests;

/// <summary>A direct message, when its sending was begun, and what was said to it at last.</summary>
sealed record DirectSend(string Key, long BegunAt, PatientAnswer Answer);

/// <summary>Two who write to each other without end, also after one has blocked the other.</summary>
sealed class BlockedPair(ServiceNode[] nodes, string blocker, string blocked) : IDisposable
{
    static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(200);

    readonly ConcurrentQueue<DirectSend> sends = new();
    readonly PatientCaller[] callers = [new(nodes, blocker), new(nodes, blocked)];
    readonly PatientCaller blocking = new(nodes, blocker);

    public string[] Users => [blocker, blocked];

    public string Conversation { get; private set; } = "";

    /// <summary>When the block was acknowledged.</summary>
    public long BlockedAt { get; private set; }

    public IReadOnlyCollection<DirectSend> Sends => sends;

    public async Task MeetAsync()
    {
        await callers[0].SucceedAsync(HttpMethod.Post, "/v1/contacts", new { userId = blocked });
        await callers[1].SucceedAsync(HttpMethod.Post, "/v1/contacts", new { userId = blocker });
        var opened = await callers[0].SucceedAsync(
            HttpMethod.Post, "/v1/conversations/direct", new { userId = blocked, message = new { text = "Good morning" } });
        Conversation = opened.Text("id");
    }

    /// <summary>Both, until it is to be quiet.</summary>
    public Task SendAsync(CancellationToken quiet) => Task.WhenAll(callers.Select(async caller =>
    {
        using var timer = new PeriodicTimer(Pace);
        for (var i = 0; !quiet.IsCancellationRequested; i++)
        {
            await SendAsync(caller, i);
            await timer.WaitForNextTickAsync(CancellationToken.None);
        }
        // On every node once more, wherever they came to meanwhile.
        for (var i = 0; i < nodes.Length; i++)
            await SendAsync(caller, -1 - i);
    }));

    public async Task BlockAsync()
    {
        await blocking.SucceedAsync(HttpMethod.Put, $"/v1/blocks/{blocked}");
        BlockedAt = Stopwatch.GetTimestamp();
    }

    public void Dispose()
    {
        foreach (var caller in callers.Append(blocking))
            caller.Dispose();
    }

    async Task SendAsync(PatientCaller caller, int number)
    {
        var (key, begun) = ($"{caller.User}-direct-{number}", Stopwatch.GetTimestamp());
        caller.Turn = Math.Abs(number);
        var answer = await caller.CallAsync(
            HttpMethod.Post, $"/v1/conversations/{Conversation}/messages", new { clientMessageId = key, text = $"text of {key}" });
        sends.Enqueue(new(key, begun, answer));
    }
}
