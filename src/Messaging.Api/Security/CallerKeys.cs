using System.Net;
using System.Net.Sockets;
using System.Security.Claims;
using Messaging.Api.Auth;

namespace Messaging.Api.Security;

/// <summary>The names by which callers are counted and remembered.</summary>
public static class CallerKeys
{
    /// <summary>Whoever acts: the user, however they came, else the service key. Null without a credential.</summary>
    public static string? CallerKey(this ClaimsPrincipal principal)
    {
        if (principal.FindFirst(ClaimTypes.NameIdentifier) is { } user)
            return UserKey(user.Value);
        return principal.ServiceKeyId() is { } key ? $"key:{key}" : null;
    }

    /// <summary>
    /// What a caller's requests count by. A service key that acts as a user has a user's budget of its own: whatever it does, and is
    /// refused, leaves that of the user alone.
    /// </summary>
    public static string? BudgetKey(this ClaimsPrincipal principal) =>
        principal.FindFirst(ClaimTypes.NameIdentifier) is { } user && principal.ServiceKeyId() is { } key
            ? $"{UserKey(user.Value)} by key:{key}"
            : principal.CallerKey();

    /// <summary>Where a request comes from whose caller is not known yet: the address, or the service that asks for its users.</summary>
    public static string OriginKey(this HttpContext context) =>
        context.User.ServiceKeyId() is { } key ? $"key:{key}" : AddressKey(context.Connection.RemoteIpAddress);

    public static string UserKey(string userId) => $"user:{userId}";

    /// <inheritdoc cref="AddressKey(IPAddress?)"/>
    public static string AddressKey(this HttpContext context) => AddressKey(context.Connection.RemoteIpAddress);

    /// <summary>The remote address; of IPv6 the network of a household, which has all its addresses to choose from.</summary>
    public static string AddressKey(IPAddress? address)
    {
        if (address is { IsIPv4MappedToIPv6: true })
            address = address.MapToIPv4();
        return address is { AddressFamily: AddressFamily.InterNetworkV6 }
            ? $"net:{Convert.ToHexStringLower(address.GetAddressBytes().AsSpan(0, 8))}"
            : $"address:{address}";
    }
}
