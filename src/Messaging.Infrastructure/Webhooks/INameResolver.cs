using System.Collections.Concurrent;
using System.Net;

namespace Messaging.Infrastructure.Webhooks;

/// <summary>Looks up names.</summary>
public interface INameResolver
{
    /// <summary>All addresses of a host.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">There is no such name, or it cannot be told.</exception>
    Task<IPAddress[]> ResolveAsync(string host, CancellationToken ct);
}

/// <summary>
/// Looks up names as the system does, which blocks a thread for as long as somebody's name server likes: one of its own, so that those of
/// the pool serve on, and one for all who ask for the same name.
/// </summary>
public sealed class SystemNames : INameResolver
{
    private readonly ConcurrentDictionary<string, Lazy<Task<IPAddress[]>>> asking = new(StringComparer.OrdinalIgnoreCase);

    public Task<IPAddress[]> ResolveAsync(string host, CancellationToken ct) => asking.GetOrAdd(
        host, name => new Lazy<Task<IPAddress[]>>(() => Task.Factory.StartNew(
            () => LookUp(name), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))).Value.WaitAsync(ct);

    // What others ask from now on is asked anew.
    private IPAddress[] LookUp(string name)
    {
        try
        {
            return Dns.GetHostAddresses(name);
        }
        finally
        {
            asking.TryRemove(name, out _);
        }
    }
}
