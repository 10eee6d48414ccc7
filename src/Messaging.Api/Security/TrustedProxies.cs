using System.Net;
using Messaging.Api.Configuration;
using Microsoft.AspNetCore.HttpOverrides;
using IPNetwork = System.Net.IPNetwork;

namespace Messaging.Api.Security;

/// <summary>
/// <c>Messaging__Proxies__0</c>, <c>__1</c> …: the networks of the proxies in front. They alone are believed who called, and by which
/// scheme and host; what anybody else says of it changes nothing.
/// </summary>
public static class TrustedProxies
{
    private const string Section = "Messaging:Proxies";

    public static IServiceCollection AddTrustedProxies(this IServiceCollection services)
    {
        services.AddSingleton(new SettingsCheck(Errors, Section));
        // After all others: ASPNETCORE_FORWARDEDHEADERS_ENABLED would have the framework believe everybody.
        services.AddOptions<ForwardedHeadersOptions>().PostConfigure<IConfiguration>(Configure);
        return services;
    }

    private static void Configure(ForwardedHeadersOptions options, IConfiguration configuration)
    {
        options.KnownProxies.Clear();
        options.KnownIPNetworks.Clear();
        foreach (var entry in Entries(configuration))
        {
            if (TryParse(entry.Value!, out var network))
                options.KnownIPNetworks.Add(network);
        }
        // To the framework, no network is every network.
        options.ForwardedHeaders = options.KnownIPNetworks.Count == 0
            ? ForwardedHeaders.None
            : ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto | ForwardedHeaders.XForwardedHost;
        // However many proxies there are: the first address from the right that is none of theirs is the caller.
        options.ForwardLimit = null;
    }

    private static IEnumerable<string> Errors(IConfiguration configuration)
    {
        if (!string.IsNullOrEmpty(configuration[Section]))
            yield return $"{SettingsShape.Name(Section)}: write one network to a setting: {SettingsShape.Name(Section)}__0, __1 and so on.";
        foreach (var entry in Entries(configuration))
        {
            if (entry.Value is null || !TryParse(entry.Value, out _))
            {
                yield return $"{SettingsShape.Name(entry.Path)}: a network such as 10.0.0.0/8 or fd00::/8 is expected, or one address; "
                    + "no bits may be set beyond the prefix, and /0 would have everybody believed.";
            }
        }
    }

    // An empty one is none, as a compose file leaves it.
    private static IEnumerable<IConfigurationSection> Entries(IConfiguration configuration) =>
        configuration.GetSection(Section).GetChildren().Where(entry => entry.Value is not "");

    private static bool TryParse(string text, out IPNetwork network)
    {
        // The framework takes "10.1" for an address and cuts off what is beyond a prefix; what is meant by either is hard to tell.
        if (IPNetwork.TryParse(text, out network))
            return network.PrefixLength > 0 && IPAddress.Parse(text.Split('/')[0]).Equals(network.BaseAddress);
        if (!IPAddress.TryParse(text, out var address) || (!text.Contains(':', StringComparison.Ordinal) && address.ToString() != text))
            return false;
        network = new IPNetwork(address, address.GetAddressBytes().Length * 8);
        return true;
    }
}
