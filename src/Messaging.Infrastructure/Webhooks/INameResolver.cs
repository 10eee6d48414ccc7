using System.Net;

namespace Messaging.Infrastructure.Webhooks;

/// <summary>Looks up names, as the system does.</summary>
public interface INameResolver
{
    /// <summary>All addresses of a host.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">There is no such name, or it cannot be told.</exception>
    Task<IPAddress[]> ResolveAsync(string host, CancellationToken ct);
}

public sealed class SystemNames : INameResolver
{
    public Task<IPAddress[]> ResolveAsync(string host, CancellationToken ct) => Dns.GetHostAddressesAsync(host, ct);
}
