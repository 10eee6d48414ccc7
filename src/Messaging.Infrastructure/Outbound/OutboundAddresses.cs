using System.Net;
using System.Net.Sockets;
using Messaging.Application.Outbound;
using Messaging.Infrastructure.Webhooks;

namespace Messaging.Infrastructure.Outbound;

/// <summary>
/// Says what a host's name leads to, and whether that may be called: nothing of a name that leads into a private network, be it beside a
/// public one.
/// </summary>
public sealed class OutboundAddresses(INameResolver names, WebhookSettings settings) : IOutboundAddresses
{
    // A request with a key for its repeats holds a transaction meanwhile, which the server ends after 5 s.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    public bool ArePrivateAllowed => settings.AllowPrivateNetworks;

    public async Task<bool> IsRefusedAsync(Uri url, CancellationToken ct)
    {
        try
        {
            await ResolveAsync(url.IdnHost, ct);
            return false;
        }
        catch (PrivateAddressException)
        {
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>The addresses of a host that may be called; what connects must take one of these, and not ask again.</summary>
    /// <exception cref="PrivateAddressException">One of them is in a private network.</exception>
    /// <exception cref="SocketException">It has none.</exception>
    internal async Task<IPAddress[]> ResolveAsync(string host, CancellationToken ct)
    {
        // A number in any notation is an address, and so is one in brackets.
        var found = IPAddress.TryParse(host, out var literal) ? [literal] : await LookUpAsync(host, ct);
        if (found.Length == 0)
            throw new SocketException((int)SocketError.HostNotFound);
        if (!ArePrivateAllowed && !Array.TrueForAll(found, PublicAddresses.Contain))
            throw new PrivateAddressException();
        return found;
    }

    private async Task<IPAddress[]> LookUpAsync(string host, CancellationToken ct)
    {
        try
        {
            return await names.ResolveAsync(host, ct).WaitAsync(Patience, ct);
        }
        catch (TimeoutException)
        {
            throw new SocketException((int)SocketError.TryAgain);
        }
        // A name that no name can be: too long, or with an empty part.
        catch (ArgumentException)
        {
            throw new SocketException((int)SocketError.HostNotFound);
        }
    }
}

/// <summary>The address is in a private network, or its name leads into one.</summary>
public sealed class PrivateAddressException() : Exception("The address is in a private network.");
