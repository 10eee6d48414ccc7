using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Messaging.Api.Realtime;

namespace Messaging.Api.Tests.Authorisation;

/// <summary>A plain connection to the hub, with any credential, that hears everything whatever it is called.</summary>
sealed class MatrixSocket : IAsyncDisposable
{
    private const byte Separator = 0x1e;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ClientWebSocket socket;
    private readonly Channel<JsonElement> frames = Channel.CreateUnbounded<JsonElement>();
    private readonly List<string> heard = [];
    private Task receiving = Task.CompletedTask;

    private MatrixSocket(ClientWebSocket socket) => this.socket = socket;

    /// <summary>Connects, or tells the status of the refusal.</summary>
    public static async Task<(MatrixSocket? Socket, int Status)> ConnectAsync(Uri address, IEnumerable<(string Name, string Value)> headers)
    {
        var opened = new ClientWebSocket();
        opened.Options.CollectHttpResponseDetails = true;
        foreach (var (name, value) in headers)
            opened.Options.SetRequestHeader(name, value);
        try
        {
            await opened.ConnectAsync(new Uri($"ws://{address.Authority}{MessagingHub.Path}"), CancellationToken.None);
        }
        catch (WebSocketException) when ((int)opened.HttpStatusCode >= 400)
        {
            var status = (int)opened.HttpStatusCode;
            opened.Dispose();
            return (null, status);
        }
        var connected = new MatrixSocket(opened);
        await connected.SendAsync("""{"protocol":"json","version":1}""");
        connected.receiving = connected.ReceiveAsync();
        await connected.frames.Reader.ReadAsync();
        return (connected, 200);
    }

    /// <summary>Calls a method; the problem's code, or null where it went well.</summary>
    public async Task<string?> CallAsync(string method, string arguments)
    {
        var kind = method == nameof(MessagingHub.Resume) ? 4 : 1;
        await SendAsync($$"""{"type":{{kind}},"invocationId":"1","target":"{{method}}","arguments":{{arguments}}}""");
        var completion = await UntilAsync(frame => frame.GetProperty("type").GetInt32() == 3);
        return completion.TryGetProperty("error", out var error) ? error.GetString()!.Split("HubException: ")[^1].Split(':')[0] : null;
    }

    /// <summary>Calls a method many times without waiting for an answer.</summary>
    public Task CallOftenAsync(string method, IEnumerable<string> arguments) => SendAsync(string.Join(
        (char)Separator,
        arguments.Select((each, i) => $$"""{"type":1,"invocationId":"{{i}}","target":"{{method}}","arguments":{{each}}}""")));

    /// <summary>Returns once the service has closed the connection.</summary>
    public Task ClosedAsync() => receiving.WaitAsync(Patience);

    /// <summary>The types of all events up to the one that is wanted, which is left out.</summary>
    public async Task<IReadOnlyList<string>> HeardUntilAsync(string type)
    {
        if (!heard.Contains(type))
            await UntilAsync(frame => frame.TryGetProperty("target", out var target) && target.GetString() == type);
        return [.. heard.TakeWhile(other => other != type)];
    }

    public async ValueTask DisposeAsync()
    {
        socket.Abort();
        await receiving;
        socket.Dispose();
    }

    private async Task<JsonElement> UntilAsync(Func<JsonElement, bool> isWanted)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            var frame = await frames.Reader.ReadAsync(patience.Token);
            if (frame.GetProperty("type").GetInt32() == 1)
                heard.Add(frame.GetProperty("target").GetString()!);
            if (isWanted(frame))
                return frame;
        }
    }

    private Task SendAsync(string json) =>
        socket.SendAsync(Encoding.UTF8.GetBytes(json).Append(Separator).ToArray(), WebSocketMessageType.Text, endOfMessage: true,
            CancellationToken.None);

    private async Task ReceiveAsync()
    {
        var (buffer, waiting) = (new byte[4096], new List<byte>());
        try
        {
            while (await socket.ReceiveAsync(buffer, CancellationToken.None) is { MessageType: not WebSocketMessageType.Close } part)
            {
                waiting.AddRange(buffer.AsSpan(0, part.Count));
                for (var end = waiting.IndexOf(Separator); end >= 0; end = waiting.IndexOf(Separator))
                {
                    frames.Writer.TryWrite(JsonSerializer.Deserialize<JsonElement>(waiting.Take(end).ToArray()));
                    waiting.RemoveRange(0, end + 1);
                }
            }
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or ObjectDisposedException)
        {
            // Whoever waits for a frame is told below.
        }
        frames.Writer.TryComplete();
    }
}
