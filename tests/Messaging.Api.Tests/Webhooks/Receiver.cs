using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Messaging.Api.Tests.Webhooks;

/// <summary>A call as it came over the wire.</summary>
/// <param name="Head">The request line and the headers.</param>
sealed record ReceivedCall(string Head, byte[] Body)
{
    public string Header(string name) => Head.Split("\r\n")
        .Single(line => line.StartsWith($"{name}:", StringComparison.OrdinalIgnoreCase)).Split(':', 2)[1].Trim();

    public IEnumerable<string> HeaderNames => Head.Split("\r\n").Skip(1).Where(line => line.Length > 0).Select(line => line.Split(':')[0]);
}

/// <summary>
/// A server that reads each call and then does as it is told, down to the bytes; a script that throws or ends closes the connection.
/// </summary>
sealed class Receiver : IAsyncDisposable
{
    private const string Paths = "/hook-";

    /// <summary>An answer after which the connection serves on.</summary>
    public const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stop = new();
    private readonly Func<Stream, int, CancellationToken, Task> answer;
    private readonly Task accepting;
    private readonly string path = $"{Paths}{Guid.NewGuid():N}";
    private int connections;

    /// <param name="answer">Is given the connection, and how many calls came before.</param>
    public Receiver(Func<Stream, int, CancellationToken, Task> answer)
    {
        this.answer = answer;
        listener.Start();
        accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    public Uri Url => new($"http://127.0.0.1:{Port}{path}");

    public ConcurrentQueue<ReceivedCall> Calls { get; } = [];

    public int Connections => Volatile.Read(ref connections);

    /// <summary>One that always answers with the same bytes.</summary>
    public static Receiver Answering(string bytes) =>
        new(async (stream, _, ct) => await stream.WriteAsync(Encoding.Latin1.GetBytes(bytes), ct));

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await accepting;
        listener.Stop();
        stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        List<Task> serving = [];
        try
        {
            while (true)
            {
                var client = await listener.AcceptTcpClientAsync(stop.Token);
                Interlocked.Increment(ref connections);
                serving.Add(ServeAsync(client));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var _ = client;
        try
        {
            var stream = client.GetStream();
            while (await ReadAsync(stream, stop.Token) is { } call && !IsForAnother(call))
            {
                await answer(stream, Note(call), stop.Token);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The other side has had enough, or the test.
        }
    }

    // The port may have been that of a receiver which is gone, whose webhook still calls it.
    private bool IsForAnother(ReceivedCall call) =>
        call.Head.Split(' ')[1] is var called && called.StartsWith(Paths, StringComparison.Ordinal) && called != path;

    // Calls come in parallel.
    private int Note(ReceivedCall call)
    {
        lock (listener)
        {
            Calls.Enqueue(call);
            return Calls.Count - 1;
        }
    }

    private static async Task<ReceivedCall?> ReadAsync(Stream stream, CancellationToken ct)
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await stream.ReadAsync(one, ct) == 0)
                return null;
            head.Append((char)one[0]);
        }
        var call = new ReceivedCall(head.ToString(), []);
        var length = call.HeaderNames.Contains("Content-Length") ? call.Header("Content-Length") : "0";
        var body = new byte[int.Parse(length, System.Globalization.CultureInfo.InvariantCulture)];
        await stream.ReadExactlyAsync(body, ct);
        return call with { Body = body };
    }
}
