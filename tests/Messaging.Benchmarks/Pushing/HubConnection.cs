using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Messaging.Benchmarks.Pushing;

/// <summary>A hub connection spoken by hand: a WebSocket on a plain socket, the JSON protocol of SignalR on that.</summary>
sealed class HubConnection : IDisposable
{
    const byte EndOfMessage = 0x1e;
    const byte Text = 0x81;

    readonly Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    byte[] buffer = new byte[2 * 1024];
    int filled;

    public static async Task<HubConnection> OpenAsync(int port, string token, CancellationToken ct)
    {
        var connection = new HubConnection();
        await connection.socket.ConnectAsync(IPAddress.Loopback, port, ct);
        await connection.socket.SendAsync(Encoding.ASCII.GetBytes(
            $"GET /hubs/messaging?access_token={token} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"), ct);
        await connection.ReceiveHeadAsync(ct);
        await connection.SendAsync("{\"protocol\":\"json\",\"version\":1}", ct);
        await connection.ReceiveAsync(static _ => false, ct);
        return connection;
    }

    /// <summary>Tells the service that the connection lives; it closes silent ones.</summary>
    public Task PingAsync(CancellationToken ct) => SendAsync("{\"type\":6}", ct);

    /// <summary>Calls a method with arguments that are JSON already, without waiting for its completion.</summary>
    public Task CallAsync(string method, string arguments, CancellationToken ct) =>
        SendAsync($"{{\"type\":1,\"invocationId\":\"1\",\"target\":\"{method}\",\"arguments\":[{arguments}]}}", ct);

    /// <summary>Hands over each frame's payload until that answers false or the connection ends.</summary>
    public async Task ReceiveAsync(Func<ReadOnlyMemory<byte>, bool> heed, CancellationToken ct)
    {
        while (true)
        {
            while (Frame() is { } frame)
            {
                var goOn = heed(buffer.AsMemory(frame.Start, frame.Length));
                var end = frame.Start + frame.Length;
                buffer.AsSpan(end, filled - end).CopyTo(buffer);
                filled -= end;
                if (!goOn)
                    return;
            }

            if (filled == buffer.Length)
                Array.Resize(ref buffer, buffer.Length * 2);
            var received = await socket.ReceiveAsync(buffer.AsMemory(filled), ct);
            if (received == 0)
                return;
            filled += received;
        }
    }

    public void Dispose() => socket.Dispose();

    async Task ReceiveHeadAsync(CancellationToken ct)
    {
        while (buffer.AsSpan(0, filled).IndexOf("\r\n\r\n"u8) < 0)
        {
            var received = await socket.ReceiveAsync(buffer.AsMemory(filled), ct);
            if (received == 0)
                break;
            filled += received;
        }

        if (!buffer.AsSpan(0, filled).StartsWith("HTTP/1.1 101"u8))
            throw new InvalidOperationException($"No hub: {Encoding.UTF8.GetString(buffer, 0, filled)}");
        filled = 0;
    }

    // The first whole frame in the buffer. What a server sends is not masked.
    (int Start, int Length)? Frame()
    {
        if (filled < 2)
            return null;
        var (start, length) = (buffer[1] & 0x7f) switch
        {
            126 when filled >= 4 => (4, BinaryPrimitives.ReadUInt16BigEndian(buffer.AsSpan(2))),
            127 when filled >= 10 => (10, (int)BinaryPrimitives.ReadUInt64BigEndian(buffer.AsSpan(2))),
            126 or 127 => (int.MaxValue / 2, 0),
            var small => (2, small),
        };
        return filled >= start + length ? (start, length) : null;
    }

    // What a client sends is masked; a mask of zeros leaves it as it is.
    async Task SendAsync(string message, CancellationToken ct)
    {
        var frame = new byte[6 + message.Length + 1];
        frame[0] = Text;
        frame[1] = (byte)(0x80 | (message.Length + 1));
        Encoding.ASCII.GetBytes(message, frame.AsSpan(6));
        frame[^1] = EndOfMessage;
        await socket.SendAsync(frame, ct);
    }
}
