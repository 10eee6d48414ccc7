using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Messaging.Benchmarks.Load;

namespace Messaging.Benchmarks;

/// <summary>The service's Release build as a process of its own, on a free port.</summary>
sealed class Service : IAsyncDisposable
{
    const string Issuer = "benchmarks";
    const string Audience = "messaging";

    readonly DirectoryInfo files;
    readonly Process process;
    readonly Task<string> errors;

    Service(Process process, int port, Requests requests, DirectoryInfo files)
    {
        this.files = files;
        this.process = process;
        errors = process.StandardError.ReadToEndAsync();
        Port = port;
        Requests = requests;
    }

    public int Port { get; }

    public int Pid => process.Id;

    public Requests Requests { get; }

    public static async Task<Service> StartAsync(string connectionString, CancellationToken ct)
    {
        var folder = Directory.CreateTempSubdirectory("messaging-bench-files-");
        var secret = Convert.ToHexString(RandomNumberGenerator.GetBytes(32));
        var port = FreePort();
        var assembly = Path.Combine(Repository.Root, "src", "Messaging.Api", "bin", "Release", "net10.0", "Messaging.Api.dll");
        var start = new ProcessStartInfo(
            Environment.ProcessPath!.EndsWith("dotnet", StringComparison.Ordinal) ? Environment.ProcessPath : "dotnet", [assembly])
        {
            WorkingDirectory = Path.GetDirectoryName(assembly)!,
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in (ReadOnlySpan<(string, string)>)
        [
            ("ASPNETCORE_ENVIRONMENT", "Production"),
            ("ASPNETCORE_URLS", string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}")),
            ("ConnectionStrings__Messaging", connectionString),
            ("Messaging__Auth__Issuer", Issuer),
            ("Messaging__Auth__Audience", Audience),
            ("Messaging__Auth__Hs256Secret", secret),
            ("Messaging__RateLimits__Enabled", "false"),
            ("Messaging__Limits__UploadBytesPerDay", "1000000000000"),
            ("Messaging__Limits__UnnamedFiles", "10000"),
            ("Messaging__Webhooks__AllowPrivateNetworks", "true"),
            ("Messaging__Storage__Path", folder.FullName),
        ])
            start.Environment[name] = value;

        var service = new Service(Process.Start(start)!, port, new Requests(Issuer, Audience, secret), folder);
        service.process.OutputDataReceived += (_, line) => Heed(line.Data);
        service.process.BeginOutputReadLine();
        try
        {
            await service.WaitUntilReadyAsync(ct);
            return service;
        }
        catch
        {
            await service.DisposeAsync();
            throw;
        }
    }

    /// <summary>Ends as a crash would, which is what the checks afterwards are for.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
            process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
        files.Delete(recursive: true);
    }

    async Task WaitUntilReadyAsync(CancellationToken ct)
    {
        var ready = "GET /health/ready HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        for (var tries = 0; tries < 300; tries++)
        {
            await timer.WaitForNextTickAsync(ct);
            if (process.HasExited)
                throw new InvalidOperationException($"The service ended with {process.ExitCode}. {await errors}");
            try
            {
                using var connection = await HttpConnection.OpenAsync(Port, ct);
                if (await connection.AskAsync(ready) == 200)
                    return;
            }
            catch (SocketException)
            {
                // Not listening yet.
            }
        }

        throw new TimeoutException("The service is not ready after 30 s.");
    }

    // Whatever it complains about belongs beside the figures.
    static void Heed(string? line)
    {
        if (line is not null && !line.Contains("\"level\":\"information\"", StringComparison.Ordinal))
            Console.Error.WriteLine($"  service: {line}");
    }

    static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
