using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Messaging.Benchmarks.Load;
using Messaging.Benchmarks.Measures;

namespace Messaging.Benchmarks.Sending;

/// <summary>Sends over HTTP, each message with a name of its own, and keeps what was acknowledged.</summary>
sealed class SendClient(HttpConnection connection, SendTarget[] targets, byte[][] requests, Acknowledged acknowledged, int number)
    : IDisposable
{
    public const int KeyLength = 24;

    static readonly byte[] Room = Encoding.ASCII.GetBytes(new string('x', KeyLength));
    static int series;

    readonly List<Acknowledgement> log = acknowledged.NewLog();
    readonly Random random = new(number);
    readonly string prefix = string.Create(CultureInfo.InvariantCulture, $"{acknowledged.Prefix}{Interlocked.Increment(ref series):x4}");
    byte[] buffer = [];
    long sent;

    /// <summary>Sends to one of the targets by chance; true for 201.</summary>
    public ValueTask<bool> SendAsync() =>
        SendAsync(random.Next(targets.Length),
            prefix + (++sent).ToString("x", CultureInfo.InvariantCulture).PadLeft(KeyLength - prefix.Length, '0'));

    /// <summary>Sends to the given target under the given name; true for 201.</summary>
    public async ValueTask<bool> SendAsync(int target, string key)
    {
        var status = await connection.AskAsync(Named(requests[target], key));
        if (status != 201)
            return false;

        log.Add(new(targets[target].Conversation, key, Number(connection.Answer, "\"seq\":"u8), Id(connection.Answer)));
        return true;
    }

    public void Dispose() => connection.Dispose();

    Memory<byte> Named(byte[] request, string key)
    {
        if (buffer.Length < request.Length)
            buffer = new byte[request.Length * 2];
        request.CopyTo(buffer, 0);
        Encoding.ASCII.GetBytes(key, buffer.AsSpan(request.AsSpan().IndexOf(Room)));
        return buffer.AsMemory(0, request.Length);
    }

    static long Number(ReadOnlySpan<byte> answer, ReadOnlySpan<byte> member) =>
        Utf8Parser.TryParse(answer[(answer.IndexOf(member) + member.Length)..], out long value, out _) ? value : 0;

    static Guid Id(ReadOnlySpan<byte> answer) =>
        Utf8Parser.TryParse(answer[(answer.IndexOf("\"id\":\""u8) + 6)..], out Guid id, out _) ? id : Guid.Empty;
}
