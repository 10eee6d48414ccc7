using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;

namespace Messaging.EndToEnd.Tests;

/// <summary>A send that was acknowledged, and when it was begun and answered, all tries together.</summary>
sealed record AcknowledgedSend(string Conversation, string Key, string Id, long Seq)
{
    public long BegunAt { get; init; }

    public long AnsweredAt { get; init; }
}

/// <summary>
/// Sends with a key each, to one node and the other, until each is acknowledged: no answer in time and 5xx mean unknown, and are tried
/// again with the same key.
/// </summary>
sealed class SendHistory(ServiceNode[] nodes) : IDisposable
{
    // A paused node does not answer.
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(100);

    const int MentionsEvery = 3;

    readonly ConcurrentQueue<AcknowledgedSend> acknowledged = new();
    readonly ConcurrentBag<HttpClient> clients = [];

    public IReadOnlyCollection<AcknowledgedSend> Acknowledged => acknowledged;

    /// <summary>One message after the other, until it is to be quiet and the last one is acknowledged.</summary>
    public async Task SendAsync(string user, FaultGroup group, CancellationToken quiet)
    {
        HttpClient[] tries = [.. nodes.Select(node => Own(node.ClientFor(user)))];
        using var timer = new PeriodicTimer(Pace);
        for (var i = 0; !quiet.IsCancellationRequested; i++)
        {
            var (key, begun, turn) = ($"{user}-{i}", Stopwatch.GetTimestamp(), i);
            string[] mentions = i % MentionsEvery == 0 ? [group.Mentioned] : [];
            JsonElement? answer;
            while ((answer = await TryAsync(tries[turn++ % tries.Length], group.Id, key, mentions)) is null)
            {
            }
            acknowledged.Enqueue(new(
                group.Id, key, answer.Value.GetProperty("id").GetString()!, answer.Value.GetProperty("seq").GetInt64())
            {
                BegunAt = begun,
                AnsweredAt = Stopwatch.GetTimestamp(),
            });
            await timer.WaitForNextTickAsync(CancellationToken.None);
        }
    }

    public void Dispose()
    {
        foreach (var client in clients)
            client.Dispose();
    }

    HttpClient Own(HttpClient client)
    {
        clients.Add(client);
        return client;
    }

    static async Task<JsonElement?> TryAsync(HttpClient client, string conversation, string key, string[] mentions)
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            var answer = await client.PostAsJsonAsync(
                $"/v1/conversations/{conversation}/messages",
                new { clientMessageId = key, text = $"text of {key}", mentions },
                patience.Token);
            if ((int)answer.StatusCode >= 500)
                return null;
            Assert.That(answer.IsSuccessStatusCode, Is.True, await answer.Content.ReadAsStringAsync(patience.Token));
            return await answer.Content.ReadFromJsonAsync<JsonElement>(patience.Token);
        }
        catch (Exception e) when (
            e is HttpRequestException { StatusCode: null } or IOException or JsonException or OperationCanceledException)
        {
            return null;
        }
    }
}
