namespace Messaging.Application.Outbound;

/// <summary>Knows which addresses are never called.</summary>
public interface IOutboundAddresses
{
    /// <summary>Whether addresses in private networks are called, too.</summary>
    bool ArePrivateAllowed { get; }

    /// <summary>
    /// Whether the address is in a private network, or its name leads into one. A name that leads nowhere at the moment does not: it is
    /// looked up again for each call.
    /// </summary>
    Task<bool> IsRefusedAsync(Uri url, CancellationToken ct);
}
