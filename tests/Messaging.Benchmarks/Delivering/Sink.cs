using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Messaging.Benchmarks.Delivering;

/// <summary>A receiver on this machine that answers each POST with 204 and counts them.</summary>
sealed class Sink : IDisposable
{
    static readonly byte[] Answer = "HTTP/1.1 204 No Content\r\n\r\n"u8.ToArray();
    static readonly byte[] EndOfHead = "\r\n\r\n"u8.ToArray();

    readonly TcpListener listener = new(IPAddress.Loopback, 0);
    int count;

    public Sink()
    {
        listener.Start(512);
        _ = AcceptAsync();
    }

    public Uri Url => new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/"));

    public int Count => Volatile.Read(ref count);

    public void Dispose() => listener.Stop();

    async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = ServeAsync(await listener.AcceptSocketAsync());
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The benchmark is over.
        }
    }

    async Task ServeAsync(Socket socket)
    {
        using var client = socket;
        client.NoDelay = true;
        var buffer = new byte[256 * 1024];
        var length = 0;
        try
        {
            while (await client.ReceiveAsync(buffer.AsMemory(length)) is > 0 and var read)
            {
                length += read;
                while (LengthOfFirst(buffer.AsSpan(0, length)) is { } first)
                {
                    buffer.AsSpan(first, length - first).CopyTo(buffer);
                    length -= first;
                    Interlocked.Increment(ref count);
                    await client.SendAsync(Answer);
                }
            }
        }
        catch (SocketException)
        {
            // The service is over.
        }
    }

    // Null while it has not all come.
    static int? LengthOfFirst(ReadOnlySpan<byte> bytes)
    {
        var head = bytes.IndexOf(EndOfHead);
        if (head < 0)
            return null;
        var text = Encoding.ASCII.GetString(bytes[..head]);
        var line = text.Split("\r\n").Single(line => line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase));
        var all = head + EndOfHead.Length
            + int.Parse(line.AsSpan("Content-Length:".Length), NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture);
        return all <= bytes.Length ? all : null;
    }
}
