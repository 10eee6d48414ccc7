using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using Messaging.Testing;

namespace Messaging.Api.Tests.Surface;

/// <summary>The service as a process of its own, for how it starts, logs and ends. Disposing kills it if it still runs.</summary>
sealed class ServiceProcess : IDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    readonly Process process;
    readonly Task<string> output;
    readonly Task<string> errors;

    ServiceProcess(Process process, Uri address)
    {
        this.process = process;
        output = process.StandardOutput.ReadToEndAsync();
        errors = process.StandardError.ReadToEndAsync();
        Client = new HttpClient(new ContractHandler()) { BaseAddress = address };
    }

    public HttpClient Client { get; }

    public static ServiceProcess Start(string? connectionString, params (string Name, string Value)[] environment) =>
        Run([], connectionString, environment);

    /// <summary>The executable with a verb.</summary>
    public static ServiceProcess Run(string[] verb, string? connectionString, params (string Name, string Value)[] environment)
    {
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        var address = new Uri($"http://127.0.0.1:{FreePort()}");
        var start = new ProcessStartInfo(
            "dotnet", [Repository.File($"src/Messaging.Api/bin/{configuration}/net10.0/Messaging.Api.dll"), .. verb])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["ASPNETCORE_URLS"] = address.ToString();
        start.Environment["ConnectionStrings__Messaging"] = connectionString;
        start.Environment["Messaging__Auth__Issuer"] = ApiHost.Issuer;
        start.Environment["Messaging__Auth__Audience"] = ApiHost.Audience;
        start.Environment["Messaging__Auth__Hs256Secret"] = ApiHost.Hs256Secret;
        start.Environment["Messaging__Database__AllowUnsafeDurability"] = "true";
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return new ServiceProcess(Process.Start(start)!, address);
    }

    public async Task<HttpStatusCode?> StatusAsync(string path)
    {
        try
        {
            using var response = await Client.GetAsync(path);
            return response.StatusCode;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    public async Task UntilAsync(string path, HttpStatusCode? status)
    {
        using var patience = new CancellationTokenSource(Patience);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (await StatusAsync(path) != status)
        {
            if (process.HasExited)
                throw new InvalidOperationException($"The service ended instead: {await errors}{await output}");
            await timer.WaitForNextTickAsync(patience.Token);
        }
    }

    /// <summary>Sends a message from one person to another, whom the service does not know yet.</summary>
    public async Task<HttpStatusCode> SendAsync()
    {
        foreach (var user in (string[])["ben", "anna"])
        {
            Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", ApiHost.Token(user));
            using var me = await Client.GetAsync("/v1/me");
            me.EnsureSuccessStatusCode();
        }
        using var sent = await Client.PostAsJsonAsync("/v1/conversations/direct", new { userId = "ben", message = new { text = "hello" } });
        return sent.StatusCode;
    }

    public void Terminate()
    {
        using var kill = Process.Start("/bin/sh", ["-c", $"kill -TERM {process.Id}"]);
        kill.WaitForExit();
    }

    /// <summary>Waits for the end: exit code, stdout, stderr.</summary>
    public async Task<(int ExitCode, string Output, string Errors)> EndAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        await process.WaitForExitAsync(patience.Token);
        return (process.ExitCode, await output, await errors);
    }

    public void Dispose()
    {
        Client.Dispose();
        if (!process.HasExited)
            process.Kill();
        process.Dispose();
    }

    static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
