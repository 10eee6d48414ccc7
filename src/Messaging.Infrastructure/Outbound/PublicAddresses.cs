using System.Net;
using System.Net.Sockets;

namespace Messaging.Infrastructure.Outbound;

/// <summary>Which addresses are on the public Internet: by IANA's registries of addresses for special purposes.</summary>
public static class PublicAddresses
{
    private const int MappedStart = 12;
    private const int SixToFourStart = 2;

    private static readonly IPNetwork[] SpecialV4 =
    [
        .. from network in new[]
           {
               "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
               "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
               // Multicast, reserved, broadcast.
               "224.0.0.0/4", "240.0.0.0/4",
           }
           select IPNetwork.Parse(network),
    ];

    // All unicast addresses that were ever given out; loopback, unique local, link-local, site-local, multicast and those compatible with
    // IPv4 are outside.
    private static readonly IPNetwork GivenOut = IPNetwork.Parse("2000::/3");

    private static readonly IPNetwork[] SpecialV6 =
    [
        // Protocols, Teredo among them, whose addresses hide an address of IPv4; documentation.
        .. from network in new[] { "2001::/23", "2001:db8::/32", "3fff::/20" } select IPNetwork.Parse(network),
    ];

    // What is in these is sent on to the address of IPv4 that they end with, or hold behind their prefix.
    private static readonly IPNetwork Nat64 = IPNetwork.Parse("64:ff9b::/96");
    private static readonly IPNetwork SixToFour = IPNetwork.Parse("2002::/16");

    public static bool Contain(IPAddress address)
    {
        if (address.AddressFamily is AddressFamily.InterNetwork)
            return !SpecialV4.Any(network => network.Contains(address));
        if (address.IsIPv4MappedToIPv6)
            return Contain(address.MapToIPv4());
        if (Nat64.Contains(address))
            return Contain(Embedded(address, MappedStart));
        if (SixToFour.Contains(address))
            return Contain(Embedded(address, SixToFourStart));
        return GivenOut.Contains(address) && !SpecialV6.Any(network => network.Contains(address));
    }

    private static IPAddress Embedded(IPAddress address, int start) => new(address.GetAddressBytes().AsSpan(start, 4));
}
