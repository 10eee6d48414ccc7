using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using Messaging.Api.Realtime;
using Messaging.Testing;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR.Client;

namespace Messaging.EndToEnd.Tests;

/// <summary>A message as a client heard of it.</summary>
sealed record HeardMessage(string Conversation, long Seq, string Id, string? Text);

/// <summary>
/// A client as docs/integrating.md asks for: it folds what it hears, connects anew wherever somebody answers, from the newest event that it
/// has seen, and goes elsewhere when it is told to.
/// </summary>
sealed class LiveClient(string user, JsonObject snapshot, int first)
{
    static readonly TimeSpan ReconnectAfter = TimeSpan.FromMilliseconds(50);

    readonly ConcurrentQueue<HeardMessage> heard = new();
    int notices;
    readonly HashSet<string> ids = new(StringComparer.Ordinal);
    volatile Uri? address;

    public string User => user;

    /// <summary>Where it began.</summary>
    public string FirstCursor { get; } = snapshot["cursor"]!.GetValue<string>();

    public JsonObject Snapshot => snapshot;

    public ClientModel Model { get; } = new(user, snapshot);

    public IReadOnlyCollection<HeardMessage> Heard => heard;

    /// <summary>How often it was told to connect anew.</summary>
    public int Notices => Volatile.Read(ref notices);

    /// <summary>Where it is connected; null while it is not.</summary>
    public Uri? Address => address;

    /// <summary>What broke the client itself, if anything.</summary>
    public Exception? Failure { get; private set; }

    public async Task HearAsync(ServiceNode[] nodes, CancellationToken over)
    {
        for (var turn = first; !over.IsCancellationRequested; turn++)
        {
            try
            {
                await ListenAsync(nodes[turn % nodes.Length].Address, over);
            }
            catch (Exception)
            {
                // The node is down, or all is over.
                await Task.Delay(ReconnectAfter, CancellationToken.None);
            }
            address = null;
        }
    }

    async Task ListenAsync(Uri node, CancellationToken over)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var connection = new HubConnectionBuilder()
            .WithUrl(
                HubClient.Address(node, ApiHost.Token(user), Model.Cursor), HttpTransportType.WebSockets,
                options => options.SkipNegotiation = true)
            .Build();
        foreach (var type in EventNames.Stored)
            connection.On<JsonElement>(type, Hear);
        connection.On<JsonElement>(DrainingNotice.EventName, notice =>
        {
            Interlocked.Increment(ref notices);
            var wait = notice.GetProperty("data").GetProperty("reconnectInMs").GetInt32();
            _ = Task.Delay(wait, over).ContinueWith(_ => ended.TrySetResult(), TaskScheduler.Default);
        });
        connection.Closed += _ =>
        {
            ended.TrySetResult();
            return Task.CompletedTask;
        };
        await connection.StartAsync(over);
        address = node;
        await ended.Task.WaitAsync(over);
    }

    // Called for one event after the other, and of one connection at a time.
    void Hear(JsonElement envelope)
    {
        try
        {
            if (!ids.Add(envelope.GetProperty("id").GetString()!))
                return;
            Model.Apply(JsonObject.Create(envelope)!);
            if (envelope.GetProperty("type").GetString() is not ("message:new" or "message:edited" or "message:deleted"))
                return;
            var message = envelope.GetProperty("data");
            heard.Enqueue(new(
                envelope.GetProperty("conversationId").GetString()!, message.GetProperty("seq").GetInt64(),
                message.GetProperty("id").GetString()!, message.GetProperty("text").GetString()));
        }
        catch (Exception e)
        {
            Failure ??= e;
        }
    }
}
