using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;

namespace Messaging.Benchmarks.Load;

/// <summary>
/// One lasting HTTP/1.1 connection that sends bytes made before and waits for the whole answer. Does as little as can be done, since
/// its share of the cores is taken from what it measures.
/// </summary>
sealed class HttpConnection : IDisposable
{
    readonly Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    byte[] buffer = new byte[16 * 1024];
    int filled;

    /// <summary>The last answer, its head included.</summary>
    public ReadOnlySpan<byte> Answer => buffer.AsSpan(0, filled);

    public static async Task<HttpConnection> OpenAsync(int port, CancellationToken ct)
    {
        var connection = new HttpConnection();
        await connection.socket.ConnectAsync(IPAddress.Loopback, port, ct);
        return connection;
    }

    /// <summary>The status of the answer, which is then in <see cref="Answer"/>.</summary>
    public async ValueTask<int> AskAsync(ReadOnlyMemory<byte> request)
    {
        await socket.SendAsync(request);
        filled = 0;
        do
        {
            if (filled == buffer.Length)
                Array.Resize(ref buffer, buffer.Length * 2);
            var received = await socket.ReceiveAsync(buffer.AsMemory(filled));
            if (received == 0)
                throw new IOException("The service closed the connection.");
            filled += received;
        }
        while (!IsWhole(Answer));

        return Utf8Parser.TryParse(buffer.AsSpan(9, 3), out int status, out _) ? status : 0;
    }

    public void Dispose() => socket.Dispose();

    // A line end never stands in JSON, so the last chunk's mark is at the end or not there.
    static bool IsWhole(ReadOnlySpan<byte> answer)
    {
        var head = answer.IndexOf("\r\n\r\n"u8);
        if (head < 0)
            return false;
        var length = answer[..head].IndexOf("Content-Length: "u8);
        if (length < 0)
            return answer.EndsWith("\r\n0\r\n\r\n"u8);
        return Utf8Parser.TryParse(answer[(length + 16)..], out int bytes, out _) && answer.Length == head + 4 + bytes;
    }
}
