using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Messaging.Infrastructure.Outbound;

/// <summary>Looks up names.</summary>
public interface INameResolver
{
    /// <summary>All addresses of a host.</summary>
    /// <exception cref="SocketException">There is no such name, or it cannot be told.</exception>
    Task<IPAddress[]> ResolveAsync(string host, CancellationToken ct);
}

/// <summary>
/// Looks up names as the system does, which blocks a thread for as long as somebody's name server likes: one of its own, so that those of
/// the pool serve on, and one for all who ask for the same name. There are so many that slow names leave some to the others; where there
/// are none left, a name is not found for now.
/// </summary>
/// <param name="lookUp">How the system does it.</param>
/// <param name="patience">How long a name waits for a thread.</param>
public sealed class SystemNames(Func<string, IPAddress[]> lookUp, TimeSpan patience) : INameResolver, IDisposable
{
    public const int Threads = 256;

    private readonly ConcurrentDictionary<string, Lazy<Task<IPAddress[]>>> asking = new(StringComparer.OrdinalIgnoreCase);
    private readonly SemaphoreSlim free = new(Threads);

    public SystemNames()
        : this(Dns.GetHostAddresses, TimeSpan.FromSeconds(3))
    {
    }

    public Task<IPAddress[]> ResolveAsync(string host, CancellationToken ct) =>
        asking.GetOrAdd(host, name => new Lazy<Task<IPAddress[]>>(() => LookUpAsync(name))).Value.WaitAsync(ct);

    public void Dispose() => free.Dispose();

    private async Task<IPAddress[]> LookUpAsync(string name)
    {
        try
        {
            if (!await free.WaitAsync(patience))
                throw new SocketException((int)SocketError.TryAgain);
            return await Task.Factory.StartNew(
                () => LookUp(name), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
        finally
        {
            // What others ask from now on is asked anew.
            asking.TryRemove(name, out _);
        }
    }

    private IPAddress[] LookUp(string name)
    {
        try
        {
            return lookUp(name);
        }
        finally
        {
            free.Release();
        }
    }
}
