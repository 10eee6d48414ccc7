namespace Messaging.Infrastructure.Push;

/// <summary>How providers are reached. Redirects are followed nowhere.</summary>
public sealed class PushHandlers
{
    /// <summary>For the services that an operator has configured.</summary>
    public HttpMessageHandler Plain { get; init; } = Make();

    /// <summary>For addresses that devices give: never in a private network.</summary>
    public HttpMessageHandler Guarded { get; init; } = Make();

    private static SocketsHttpHandler Make() => new()
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        EnableMultipleHttp2Connections = true,
        PooledConnectionLifetime = TimeSpan.FromMinutes(10),
        ConnectTimeout = TimeSpan.FromSeconds(5),
        KeepAlivePingDelay = TimeSpan.FromMinutes(1),
        KeepAlivePingTimeout = TimeSpan.FromSeconds(10),
    };
}
