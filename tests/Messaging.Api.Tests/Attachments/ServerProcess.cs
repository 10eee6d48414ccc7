using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Messaging.Api.Tests.Attachments;

/// <summary>A server of somebody else's that the service talks to, with a folder of its own.</summary>
sealed class ServerProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string program;
    private readonly string[] arguments;
    private Process? process;

    private ServerProcess(string program, string[] arguments, string folder, int port)
    {
        this.program = program;
        this.arguments = arguments;
        Folder = folder;
        Port = port;
    }

    public string Folder { get; }

    public int Port { get; }

    /// <summary>clamd, which knows the test signature EICAR and nothing else; not started yet.</summary>
    public static ServerProcess Clamd()
    {
        var (folder, port) = (Directory.CreateTempSubdirectory("messaging-clamd-").FullName, FreePort());
        File.WriteAllText(
            Path.Combine(folder, "local.ndb"), $"Eicar-Test:0:*:{Convert.ToHexString(FileScanTests.Eicar).ToLowerInvariant()}\n");
        File.WriteAllText(
            Path.Combine(folder, "clamd.conf"),
            $"DatabaseDirectory {folder}\nTCPAddr 127.0.0.1\nTCPSocket {port}\nForeground yes\nStreamMaxLength 20M\nTemporaryDirectory "
                + $"{folder}\n");
        return new ServerProcess("clamd", ["--config-file", Path.Combine(folder, "clamd.conf")], folder, port);
    }

    /// <summary>A server that speaks S3, with the bucket <c>messaging</c>; not started yet.</summary>
    public static ServerProcess S3()
    {
        var (folder, port) = (Directory.CreateTempSubdirectory("messaging-s3-").FullName, FreePort());
        var script = Path.Combine(Messaging.Testing.Repository.Root, "tests/Messaging.EndToEnd.Tests/client/s3-server.cjs");
        return new ServerProcess("node", [script, folder, $"{port}"], folder, port);
    }

    /// <summary>Starts it and returns once it listens.</summary>
    public async Task StartAsync()
    {
        process = Process.Start(new ProcessStartInfo(
            program, arguments) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true })!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        using var timeout = new CancellationTokenSource(Patience);
        while (true)
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(IPAddress.Loopback, Port, timeout.Token);
                return;
            }
            catch (SocketException) when (!process.HasExited)
            {
                await Task.Yield();
            }
        }
    }

    public async Task StopAsync()
    {
        if (process is null)
            return;
        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        process.Dispose();
        process = null;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(Folder, recursive: true);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
