using Messaging.Infrastructure.Outbound;

namespace Messaging.Infrastructure.Push;

/// <summary>How providers are reached. Redirects are followed nowhere.</summary>
public sealed class PushHandlers(OutboundAddresses addresses)
{
    /// <summary>To the services that an operator has configured.</summary>
    public HttpMessageHandler Plain { get; } = new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        EnableMultipleHttp2Connections = true,
        PooledConnectionLifetime = TimeSpan.FromMinutes(10),
        ConnectTimeout = TimeSpan.FromSeconds(10),
        KeepAlivePingDelay = TimeSpan.FromMinutes(1),
        KeepAlivePingTimeout = TimeSpan.FromSeconds(10),
    };

    /// <summary>To addresses that devices give: as webhooks are called, never in a private network.</summary>
    public HttpMessageHandler Guarded { get; } = OutboundHandler.New(addresses);
}
