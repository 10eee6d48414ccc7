using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net;
using System.Net.WebSockets;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;

namespace Messaging.Testing;

/// <summary>A user's connection to the hub: hears every event, in the order in which they come.</summary>
public sealed class HubClient : IAsyncDisposable
{
    static readonly string[] Types =
    [
        "message:new", "message:edited", "message:deleted", "message:reaction", "message:pinned", "message:read", "message:delivered",
        "attachment:ready", "conversation:created", "conversation:updated", "conversation:archived", "conversation:closed",
        "conversation:reopened", "conversation:deleted", "participant:added", "participant:updated", "participant:removed",
        "unread:changed", "settings:updated", "typing", "presence:changed", "test:event",
    ];

    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    readonly Channel<JsonElement> events = Channel.CreateUnbounded<JsonElement>();
    readonly ConcurrentQueue<string> ids = new();
    readonly TaskCompletionSource<Exception?> closed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    HubClient(HubConnection connection)
    {
        Connection = connection;
        foreach (var type in Types)
        {
            connection.On<JsonElement>(type, envelope =>
            {
                if (envelope.GetProperty("id").GetString() is { } id)
                    ids.Enqueue(id);
                // Whoever waits for an event is told.
                if (type != "test:event" && Contract.Served.EventMisfit(envelope) is { } misfit)
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
        var builder = new HubConnectionBuilder();
        builder.Services.AddSingleton<IConnectionFactory, WebSocketFactory>();
        builder.Services.AddSingleton<EndPoint>(new UriEndPoint(Address(address, token, cursor)));
        var client = new HubClient(builder.AddJsonProtocol().Build());
        await client.Connection.StartAsync();
        return client;
    }

    public static Uri Address(Uri address, string token, string? cursor = null) => new(
        $"ws://{address.Authority}/hubs/messaging?access_token={token}" + (cursor is null ? "" : $"&cursor={Uri.EscapeDataString(cursor)}"));

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

    /// <summary>The one transport that the client needs here; the package with all of them is not to be had.</summary>
    sealed class WebSocketFactory : IConnectionFactory
    {
        public async ValueTask<ConnectionContext> ConnectAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
        {
            var socket = new ClientWebSocket();
            await socket.ConnectAsync(((UriEndPoint)endpoint).Uri, cancellationToken);
            return new WebSocketConnection(socket);
        }
    }

    sealed class WebSocketConnection : ConnectionContext, IDuplexPipe
    {
        readonly ClientWebSocket socket;
        readonly Pipe received = new();
        readonly Pipe sent = new();
        readonly Task pumps;

        public WebSocketConnection(ClientWebSocket socket)
        {
            this.socket = socket;
            Transport = this;
            pumps = Task.WhenAll(Task.Run(ReceiveAsync), Task.Run(SendAsync));
        }

        public PipeReader Input => received.Reader;

        public PipeWriter Output => sent.Writer;

        public override string ConnectionId { get; set; } = Guid.NewGuid().ToString();

        public override IFeatureCollection Features { get; } = new FeatureCollection();

        public override IDictionary<object, object?> Items { get; set; } = new Dictionary<object, object?>();

        public override IDuplexPipe Transport { get; set; }

        public override async ValueTask DisposeAsync()
        {
            await sent.Writer.CompleteAsync();
            await received.Reader.CompleteAsync();
            socket.Abort();
            await pumps;
            socket.Dispose();
            await base.DisposeAsync();
        }

        async Task ReceiveAsync()
        {
            try
            {
                while (await socket.ReceiveAsync(received.Writer.GetMemory(4096), CancellationToken.None) is { MessageType: not WebSocketMessageType.Close } part)
                {
                    received.Writer.Advance(part.Count);
                    if ((await received.Writer.FlushAsync()).IsCompleted)
                        break;
                }
                await received.Writer.CompleteAsync();
            }
            catch (Exception e) when (e is WebSocketException or OperationCanceledException or ObjectDisposedException)
            {
                await received.Writer.CompleteAsync(e);
            }
        }

        async Task SendAsync()
        {
            try
            {
                while (await sent.Reader.ReadAsync() is { IsCompleted: false } read)
                {
                    foreach (var part in read.Buffer)
                        await socket.SendAsync(part, WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
                    sent.Reader.AdvanceTo(read.Buffer.End);
                }
            }
            catch (Exception e) when (e is WebSocketException or OperationCanceledException or ObjectDisposedException)
            {
                await sent.Reader.CompleteAsync(e);
            }
        }
    }
}
