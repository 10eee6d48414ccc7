using System.Collections.Concurrent;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Messaging.Api.Realtime;
using Messaging.Domain.Common;
using Messaging.Testing;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR.Client;

namespace Messaging.EndToEnd.Tests;

/// <summary>A message as a client heard of it.</summary>
sealed record HeardMessage(string Conversation, long Seq, string Id, string? Text)
{
    public long Version { get; init; }
}

/// <summary>
/// A client as docs/integrating.md asks for: it folds what it hears, connects anew wherever somebody answers, from the newest event that it
/// has seen, and goes elsewhere when it is told to.
/// </summary>
sealed class LiveClient(string user, JsonObject snapshot, int first)
{
    static readonly TimeSpan ReconnectAfter = TimeSpan.FromMilliseconds(50);

    readonly ConcurrentQueue<HeardMessage> heard = new();
    readonly Dictionary<(string Message, string Emoji), long> reactions = [];
    volatile bool isExpired;
    int notices;
    readonly HashSet<string> ids = new(StringComparer.Ordinal);
    volatile Uri? address;

    public string User => user;

    /// <summary>Where it began.</summary>
    public string FirstCursor => Snapshot["cursor"]!.GetValue<string>();

    public JsonObject Snapshot { get; private set; } = snapshot;

    public ClientModel Model { get; private set; } = new(user, snapshot);

    /// <summary>How often its cursor had expired, and it began anew.</summary>
    public int BegunAnew { get; private set; }

    /// <summary>How many have reacted to a message with an emoji, as it was told.</summary>
    public IReadOnlyDictionary<(string Message, string Emoji), long> Reactions => reactions;

    public IReadOnlyCollection<HeardMessage> Heard => heard;

    /// <summary>How often it was told to connect anew.</summary>
    public int Notices => Volatile.Read(ref notices);

    /// <summary>Where it is connected; null while it is not.</summary>
    public Uri? Address => address;

    /// <summary>What broke the client itself, if anything.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>The newest message of the conversation that was there when it began.</summary>
    public long SeqAtFirst(string conversation) => Snapshot["conversations"]!["items"]!.AsArray()
        .Where(item => item!["id"]!.GetValue<string>() == conversation)
        .Select(item => item!["lastSeq"]!.GetValue<long>()).DefaultIfEmpty().Max();

    public async Task HearAsync(ServiceNode[] nodes, CancellationToken over)
    {
        for (var turn = first; !over.IsCancellationRequested; turn++)
        {
            var node = nodes[turn % nodes.Length];
            try
            {
                if (isExpired)
                    await BeginAnewAsync(node, over);
                await ListenAsync(node.Address, over);
            }
            catch (Exception e)
            {
                // The node is down, its cursor has expired, or all is over.
                Note(e);
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
        connection.Closed += e =>
        {
            Note(e);
            ended.TrySetResult();
            return Task.CompletedTask;
        };
        await connection.StartAsync(over);
        address = node;
        await ended.Task.WaitAsync(over);
    }

    // The connection is refused with it, or closed.
    void Note(Exception? end) => isExpired |= end?.Message.Contains(ProblemCodes.CursorExpired, StringComparison.Ordinal) is true;

    async Task BeginAnewAsync(ServiceNode node, CancellationToken over)
    {
        using var client = node.ClientFor(user);
        Snapshot = (await client.GetFromJsonAsync<JsonObject>("/v1/sync", over))!;
        Model = new(user, Snapshot);
        BegunAnew++;
        isExpired = false;
    }

    // Called for one event after the other, and of one connection at a time.
    void Hear(JsonElement envelope)
    {
        try
        {
            if (!ids.Add(envelope.GetProperty("id").GetString()!))
                return;
            Model.Apply(JsonObject.Create(envelope)!);
            var (type, message) = (envelope.GetProperty("type").GetString(), envelope.GetProperty("data"));
            if (type is "message:reaction")
                Count(message);
            if (type is not ("message:new" or "message:edited" or "message:deleted"))
                return;
            heard.Enqueue(new(
                envelope.GetProperty("conversationId").GetString()!, message.GetProperty("seq").GetInt64(),
                message.GetProperty("id").GetString()!, message.GetProperty("text").GetString())
            {
                Version = message.GetProperty("version").GetInt64(),
            });
        }
        catch (Exception e)
        {
            Failure ??= e;
        }
    }

    void Count(JsonElement reaction)
    {
        var (key, count) = (
            (reaction.GetProperty("messageId").GetString()!, reaction.GetProperty("emoji").GetString()!),
            reaction.GetProperty("count").GetInt64());
        if (count == 0)
            reactions.Remove(key);
        else
            reactions[key] = count;
    }
}
