using System.Net.Http.Headers;
using System.Net.Sockets;
using Messaging.Testing;

namespace Messaging.EndToEnd.Tests;

/// <summary>
/// The service as a process of its own on a database and a port that survive it, so that it can be killed and started again.
/// </summary>
sealed class ServiceNode : IDisposable
{
    readonly string connectionString;
    readonly (string Name, string Value)[] settings;
    readonly HttpClient probe;
    ChildProcess? process;

    /// <param name="settings">Environment variables, beside those that every test needs.</param>
    public ServiceNode(string connectionString, params (string Name, string Value)[] settings)
    {
        (this.connectionString, this.settings) = (connectionString, settings);
        Address = new Uri($"http://127.0.0.1:{FreePort()}");
        probe = new HttpClient(new ContractHandler()) { BaseAddress = Address };
    }

    public Uri Address { get; }

    public ChildProcess Process => process ?? throw new InvalidOperationException("The service was not started.");

    public async Task StartAsync()
    {
        process = ChildProcess.Start(
            "dotnet",
            [Repository.Service, "serve"],
            [("ConnectionStrings__Messaging", connectionString),
            ("ASPNETCORE_URLS", Address.OriginalString),
            ("ASPNETCORE_ENVIRONMENT", "Development"),
            ("Messaging__Auth__Issuer", ApiHost.Issuer),
            ("Messaging__Auth__Audience", ApiHost.Audience),
            ("Messaging__Auth__Hs256Secret", ApiHost.Hs256Secret),
            ("Messaging__Auth__BootstrapServiceKey", ApiHost.ServiceKey),
            ("Messaging__RateLimits__Enabled", "false"),
            ("Messaging__Database__AllowUnsafeDurability", "true"),
            .. settings]);
        await Eventually.HoldsAsync(IsReadyAsync, () => $"the service is ready:\n{Process.Output}\n{Process.Errors}");
    }

    public HttpClient ClientFor(string userId) => new(new ContractHandler())
    {
        BaseAddress = Address,
        DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", ApiHost.Token(userId)) },
    };

    public HttpClient ServiceClient() => new(new ContractHandler())
    {
        BaseAddress = Address,
        DefaultRequestHeaders = { { "X-Api-Key", ApiHost.ServiceKey } },
    };

    public void Dispose()
    {
        probe.Dispose();
        process?.Dispose();
    }

    async Task<bool> IsReadyAsync()
    {
        try
        {
            return (await probe.GetAsync(new Uri("/health/ready", UriKind.Relative))).IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    static int FreePort()
    {
        using var listener = new TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }
}
