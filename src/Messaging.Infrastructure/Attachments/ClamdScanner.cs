using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using Messaging.Application.Attachments;
using Messaging.Application.Common;
using Messaging.Domain.Attachments;

namespace Messaging.Infrastructure.Attachments;

/// <summary><c>Messaging__Scan__*</c>.</summary>
public sealed class ScanSettings : ISettings
{
    public static string Section => "Messaging:Scan";

    /// <summary>Where clamd listens: <c>host:port</c>, or the path of its socket. Without it files are not looked at.</summary>
    public string? ClamdAddress { get; init; }

    public IEnumerable<string> Errors()
    {
        if (ClamdAddress is { } address && !address.StartsWith('/') && !TryParse(address, out _, out _))
            yield return "ClamdAddress: host:port, or the path of a socket, is expected.";
    }

    internal static bool TryParse(string address, out string host, out int port)
    {
        var colon = address.LastIndexOf(':');
        host = colon > 0 ? address[..colon] : "";
        port = 0;
        return colon > 0 && int.TryParse(address.AsSpan(colon + 1), out port) && port is > 0 and < 65_536;
    }
}

/// <summary>Has clamd look at files, over its INSTREAM.</summary>
public sealed class ClamdScanner(ScanSettings settings) : IVirusScanner
{
    private const int ChunkSize = 65_536;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    public async Task<ScanState> ScanAsync(string path, CancellationToken ct)
    {
        if (settings.ClamdAddress is null)
            return ScanState.Skipped;
        await using var file = new FileStream(
            path, FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.Asynchronous | FileOptions.SequentialScan);
        return await ScanAsync(file, ct);
    }

    // What is not called clean is not clean: clamd answers an error, or ends the connection, where a file is beyond its limits.
    public async Task<ScanState> ScanAsync(Stream file, CancellationToken ct)
    {
        if (settings.ClamdAddress is not { } address)
            return ScanState.Skipped;
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(ct);
        timeout.CancelAfter(Timeout);
        using var socket = await ConnectAsync(address, timeout.Token);
        if (socket is null)
            return ScanState.Pending;
        await using var clamd = new NetworkStream(socket);
        try
        {
            await SendAsync(clamd, file, timeout.Token);
            return await AnswerAsync(clamd, timeout.Token) == "stream: OK" ? ScanState.Clean : ScanState.Infected;
        }
        catch (IOException) when (!ct.IsCancellationRequested)
        {
            return ScanState.Infected;
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return ScanState.Pending;
        }
    }

    private static async Task SendAsync(NetworkStream clamd, Stream file, CancellationToken ct)
    {
        await clamd.WriteAsync("zINSTREAM\0"u8.ToArray(), ct);
        var chunk = new byte[4 + ChunkSize];
        int length;
        do
        {
            length = await file.ReadAsync(chunk.AsMemory(4), ct);
            BinaryPrimitives.WriteInt32BigEndian(chunk, length);
            await clamd.WriteAsync(chunk.AsMemory(0, 4 + length), ct);
        }
        while (length > 0);
    }

    private static async Task<string> AnswerAsync(NetworkStream clamd, CancellationToken ct)
    {
        var answer = new byte[1024];
        var length = 0;
        for (int read; length < answer.Length && (read = await clamd.ReadAsync(answer.AsMemory(length), ct)) > 0;)
            length += read;
        return Encoding.UTF8.GetString(answer, 0, length).TrimEnd('\0', '\n');
    }

    private static async Task<Socket?> ConnectAsync(string address, CancellationToken ct)
    {
        var isPath = address.StartsWith('/');
        var socket = isPath
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) : new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (isPath)
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(address), ct);
            else if (ScanSettings.TryParse(address, out var host, out var port))
                await socket.ConnectAsync(host, port, ct);
            return socket;
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            socket.Dispose();
            return null;
        }
    }
}
