using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Messaging.Api.Tests.Bus;

/// <summary>A private broker with a folder, ports and a password of its own, which can be killed with all that it knows.</summary>
sealed class Broker : IAsyncDisposable
{
    public const string Password = "wombat-of-the-tests";

    // Debian's command of that name changes to a user of its own.
    private const string DebiansRabbitMq = "/usr/lib/rabbitmq/bin/rabbitmq-server";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private readonly string folder = Directory.CreateTempSubdirectory("messaging-broker-").FullName;
    private readonly int port = FreePort();
    private readonly bool isRabbitMq;
    private ProcessStartInfo? program;
    private Process? portMapper;
    private Process? process;

    private Broker(bool isRabbitMq)
    {
        this.isRabbitMq = isRabbitMq;
        Setting = isRabbitMq
            ? ("Messaging:Bus:RabbitMq", $"amqp://messaging:{Password}@127.0.0.1:{port}")
            : ("Messaging:Bus:Redis", $"redis://:{Password}@127.0.0.1:{port}");
    }

    /// <summary>What a node is told of it.</summary>
    public (string Name, string? Value) Setting { get; }

    private string Data => Path.Combine(folder, "data");

    private string IdFile => Path.Combine(folder, "pid");

    /// <param name="setting"><c>RabbitMq</c> or <c>Redis</c>.</param>
    public static async Task<Broker> StartAsync(string setting)
    {
        var broker = new Broker(setting == "RabbitMq");
        await broker.StartAsync();
        return broker;
    }

    /// <summary>Starts it, empty, and returns once it listens.</summary>
    public async Task StartAsync()
    {
        Directory.CreateDirectory(Data);
        process = Start(program ??= isRabbitMq ? RabbitMq() : Redis());
        using var timeout = new CancellationTokenSource(Patience);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!await ListensAsync(timeout.Token))
        {
            Assert.That(process.HasExited, Is.False, "the broker runs");
            await timer.WaitForNextTickAsync(timeout.Token);
        }
    }

    /// <summary>kill -9, and nothing that it had kept is left.</summary>
    public async Task WipeAsync()
    {
        await EndAsync(process!);
        process = null;
        Directory.Delete(Data, recursive: true);
    }

    /// <summary>Stands still with its connections open.</summary>
    public Task PauseAsync() => SignalAsync("STOP");

    public Task GoOnAsync() => SignalAsync("CONT");

    public async ValueTask DisposeAsync()
    {
        if (process is not null)
            await EndAsync(process);
        if (portMapper is not null)
            await EndAsync(portMapper);
        Directory.Delete(folder, recursive: true);
    }

    private ProcessStartInfo Redis() => new(
        "redis-server",
        [
            "--bind", "127.0.0.1", "--port", $"{port}", "--dir", Data, "--save", "", "--requirepass", Password,
        ]);

    // Erlang would start a port mapper that outlives the broker; this one is ours to end.
    private ProcessStartInfo RabbitMq()
    {
        var mapperPort = FreePort();
        portMapper = Start(new ProcessStartInfo("epmd", ["-address", "127.0.0.1", "-port", $"{mapperPort}"]));
        var configuration = Path.Combine(folder, "rabbitmq.conf");
        File.WriteAllText(
            configuration, $"listeners.tcp.1 = 127.0.0.1:{port}\ndefault_user = messaging\ndefault_pass = {Password}\n");
        var plugins = Path.Combine(folder, "enabled_plugins");
        File.WriteAllText(plugins, "[].");
        var start = new ProcessStartInfo(File.Exists(DebiansRabbitMq) ? DebiansRabbitMq : "rabbitmq-server") { WorkingDirectory = folder };
        foreach (var (name, value) in new (string, string)[]
        {
            ("HOME", folder),
            ("ERL_EPMD_PORT", $"{mapperPort}"),
            ("RABBITMQ_NODENAME", $"messaging-{port}@localhost"),
            ("RABBITMQ_DIST_PORT", $"{FreePort()}"),
            ("RABBITMQ_CONFIG_FILE", configuration),
            ("RABBITMQ_CONF_ENV_FILE", "/dev/null"),
            ("RABBITMQ_ENABLED_PLUGINS_FILE", plugins),
            ("RABBITMQ_MNESIA_BASE", Data),
            ("RABBITMQ_LOG_BASE", Data),
            ("RABBITMQ_PID_FILE", IdFile),
        })
            start.Environment[name] = value;
        return start;
    }

    private async Task<bool> ListensAsync(CancellationToken ct)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, port, ct);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private async Task SignalAsync(string signal)
    {
        // RabbitMQ's process is a child of the one that was started.
        var id = isRabbitMq ? await File.ReadAllTextAsync(IdFile) : $"{process!.Id}";
        using var kill = Process.Start("/bin/sh", ["-c", $"kill -{signal} {id}"]);
        await kill.WaitForExitAsync();
    }

    private static Process Start(ProcessStartInfo start)
    {
        (start.UseShellExecute, start.RedirectStandardOutput, start.RedirectStandardError) = (false, true, true);
        var started = Process.Start(start)!;
        started.OutputDataReceived += (_, _) => { };
        started.ErrorDataReceived += (_, _) => { };
        started.BeginOutputReadLine();
        started.BeginErrorReadLine();
        return started;
    }

    private static async Task EndAsync(Process ended)
    {
        ended.Kill(entireProcessTree: true);
        await ended.WaitForExitAsync();
        ended.Dispose();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
