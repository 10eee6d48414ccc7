using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Messaging.Start;

/// <summary>The service's environment: what the user has set wins, the rest makes a demo that works at once.</summary>
sealed class Settings
{
    const string ConnectionVariable = "ConnectionStrings__Messaging";
    const string DefaultUrl = "http://localhost:5080";

    readonly Dictionary<string, string> values = new(StringComparer.Ordinal);

    Settings(string dataFolder, string urls)
    {
        values["MESSAGING_DATA"] = dataFolder;
        values["ASPNETCORE_URLS"] = urls;
        Use("ASPNETCORE_ENVIRONMENT", "Development");
    }

    public IReadOnlyDictionary<string, string> Values => values;

    public static string? GivenConnectionString => Given(ConnectionVariable);

    public string ConnectionString => values[ConnectionVariable];

    public Secrets Secrets => new(
        values["Messaging__Auth__Issuer"],
        values["Messaging__Auth__Audience"],
        values["Messaging__Auth__Hs256Secret"],
        values["Messaging__Auth__BootstrapServiceKey"]);

    /// <summary>Where a client on this machine reaches the service: the first of its addresses.</summary>
    public string Url => Uri(values["ASPNETCORE_URLS"].Split(';')[0]).GetLeftPart(UriPartial.Authority);

    /// <summary>Fails on addresses that cannot be listened on, before anything is started.</summary>
    public static Settings Read(string dataFolder)
    {
        var urls = (Given("ASPNETCORE_URLS") ?? DefaultUrl).Split(
            ';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return new(dataFolder, string.Join(';', urls.Select(WithPort)));
    }

    public void Complete(string connectionString, Secrets secrets)
    {
        Use(ConnectionVariable, connectionString);
        Use("Messaging__Auth__Issuer", secrets.Issuer);
        Use("Messaging__Auth__Audience", secrets.Audience);
        Use("Messaging__Auth__Hs256Secret", secrets.Hs256Secret);
        Use("Messaging__Auth__BootstrapServiceKey", secrets.ServiceKey);
        Use("Messaging__Accounts__Enabled", "true");
        Use("Messaging__Storage__Path", Path.Combine(values["MESSAGING_DATA"], "files"));
    }

    /// <summary>Fails when somebody else listens at one of the addresses.</summary>
    public void RequireFreeAddresses()
    {
        foreach (var url in values["ASPNETCORE_URLS"].Split(';'))
        {
            var uri = Uri(url);
            IPAddress[] addresses = uri.IsLoopback ? [IPAddress.Loopback] : [IPAddress.Any];
            if (IPAddress.TryParse(uri.DnsSafeHost, out var address))
                addresses = [address];
            if (!addresses.All(where => IsFree(where, uri.Port)))
                throw new StartException($"{url} is in use by something else. Set ASPNETCORE_URLS to another address, for example "
                    + $"http://localhost:{uri.Port + 1}.");
        }
    }

    void Use(string name, string value) => values[name] = Given(name) ?? value;

    static string? Given(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    static Uri Uri(string url)
    {
        // Kestrel's ways to say every address of the machine.
        var local = url.Replace("://+", "://localhost", StringComparison.Ordinal)
            .Replace("://*", "://localhost", StringComparison.Ordinal)
            .Replace("://0.0.0.0", "://localhost", StringComparison.Ordinal)
            .Replace("://[::]", "://localhost", StringComparison.Ordinal);
        return System.Uri.TryCreate(local, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
            ? uri
            : throw new StartException($"ASPNETCORE_URLS: {url} is not an address such as {DefaultUrl}.");
    }

    // Port 0 stands for any free one; it is chosen here, so that it can be told.
    static string WithPort(string url)
    {
        if (!url.TrimEnd('/').EndsWith(":0", StringComparison.Ordinal))
            return Uri(url) is not null ? url : "";

        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        return string.Create(CultureInfo.InvariantCulture, $"{url.TrimEnd('/')[..^1]}{port}");
    }

    static bool IsFree(IPAddress address, int port)
    {
        try
        {
            using var listener = new TcpListener(address, port);
            listener.Start();
            return true;
        }
        catch (SocketException exception)
        {
            // An address that this machine does not have, or a port that needs more rights, is for the service to report.
            return exception.SocketErrorCode != SocketError.AddressAlreadyInUse;
        }
    }
}
