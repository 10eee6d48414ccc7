using System.Collections.Concurrent;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR.Client;
using NUnit.Framework;

namespace Messaging.Testing;

/// <summary>A user's connection to the hub: hears every event, in the order in which they come.</summary>
public sealed class HubClient : IAsyncDisposable
{
    // Told by tests alone.
    const string TestEvent = "test:event";

    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    readonly Channel<JsonElement> events = Channel.CreateUnbounded<JsonElement>();
    readonly ConcurrentQueue<string> ids = new();
    readonly TaskCompletionSource<Exception?> closed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    HubClient(HubConnection connection)
    {
        Connection = connection;
        foreach (var type in EventNames.Stored.Concat(EventNames.Ephemeral).Append(TestEvent))
        {
            connection.On<JsonElement>(type, envelope =>
            {
                if (envelope.GetProperty("id").GetString() is { } id)
                    ids.Enqueue(id);
                // Whoever waits for an event is told.
                if (type != TestEvent && Contract.Served.EventMisfit(envelope) is { } misfit)
                    events.Writer.TryComplete(new AssertionException($"'{type}' was heard against the document:\n{misfit}"));
                events.Writer.TryWrite(envelope);
            });
        }
        connection.Closed += exception =>
        {
            events.Writer.TryComplete();
            closed.TrySetResult(exception);
            return Task.CompletedTask;
        };
    }

    public HubConnection Connection { get; }

    /// <summary>The ids of all events heard so far.</summary>
    public IReadOnlyCollection<string> Ids => ids;

    /// <summary>Why the connection ended, once it has.</summary>
    public Task<Exception?> Closed => closed.Task.WaitAsync(Patience);

    public static async Task<HubClient> ConnectAsync(Uri address, string token, string? cursor = null)
    {
        // As a browser's: one WebSocket, the token in the address.
        var client = new HubClient(new HubConnectionBuilder()
            .WithUrl(Address(address, token, cursor), HttpTransportType.WebSockets, options => options.SkipNegotiation = true)
            .Build());
        await client.Connection.StartAsync();
        return client;
    }

    public static Uri Address(Uri address, string token, string? cursor = null) => new(
        $"ws://{address.Authority}/hubs/messaging?access_token={token}"
            + (cursor is null ? "" : $"&cursor={Uri.EscapeDataString(cursor)}"));

    /// <summary>The next event of the type; others before it are passed over.</summary>
    public async Task<JsonElement> NextAsync(string type)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            var envelope = await events.Reader.ReadAsync(patience.Token);
            if (envelope.GetProperty("type").GetString() == type)
                return envelope;
        }
    }

    /// <summary>All events, until the connection ends.</summary>
    public IAsyncEnumerable<JsonElement> AllAsync(CancellationToken ct) => events.Reader.ReadAllAsync(ct);

    /// <summary>All events up to the one that is wanted.</summary>
    public async Task<IReadOnlyList<JsonElement>> UntilAsync(Func<JsonElement, bool> isWanted)
    {
        using var patience = new CancellationTokenSource(Patience);
        var heard = new List<JsonElement>();
        do
            heard.Add(await events.Reader.ReadAsync(patience.Token));
        while (!isWanted(heard[^1]));
        return heard;
    }

    public Task<JsonElement> SendMessageAsync(object conversationId, object? message) =>
        InvokeAsync("MessageView", "SendMessage", conversationId, message);

    public Task<JsonElement> MarkReadAsync(object conversationId, object? seq) =>
        InvokeAsync("PointerState", "MarkRead", conversationId, seq);

    public Task<JsonElement> AckDeliveredAsync(object conversationId, object? seq) =>
        InvokeAsync("PointerState", "AckDelivered", conversationId, seq);

    public Task TypingAsync(object conversationId, object? active) => Connection.InvokeAsync("Typing", conversationId, active);

    public Task<JsonElement> WatchAsync(object? userIds) => InvokeAsync("PageOfPresenceView", "WatchPresence", userIds);

    public Task SetAwayAsync(object? isAway) => Connection.InvokeAsync("SetAway", isAway);

    public IAsyncEnumerable<JsonElement> ResumeAsync(object? cursor, CancellationToken ct = default) =>
        Connection.StreamAsync<JsonElement>("Resume", cursor, ct);

    public ValueTask DisposeAsync() => Connection.DisposeAsync();

    // What the same call over REST answers, by the document.
    async Task<JsonElement> InvokeAsync(string component, string method, params object?[] arguments)
    {
        var answer = await Connection.InvokeCoreAsync<JsonElement>(method, arguments);
        return Contract.Served.Misfit(component, answer) is { } misfit
            ? throw new AssertionException($"{method} answered against the document:\n{misfit}")
            : answer;
    }
}
