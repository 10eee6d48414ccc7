using Messaging.Application.Attachments;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Messaging.Api.Attachments;

/// <summary>
/// The configured address; where there is none, a caller is answered by the name that it called by, and events by that of the server.
/// </summary>
public sealed class ServiceAddress(IHttpContextAccessor contexts, IServiceProvider services, StorageSettings settings) : IServiceAddress
{
    private readonly Lazy<string> own = new(() => Own(services));

    public string Of(UrlAudience audience)
    {
        if (settings.PublicUrl is { } configured)
            return configured.TrimEnd('/');
        return audience is UrlAudience.Caller && contexts.HttpContext?.Request is { Host.HasValue: true } request
            ? $"{request.Scheme}://{request.Host}"
            : own.Value;
    }

    private static string Own(IServiceProvider services)
    {
        var first = services.GetService<IServer>()?.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault()
            ?? "http://localhost:5080";
        return first.Replace("://[::]", "://localhost", StringComparison.Ordinal)
            .Replace("://0.0.0.0", "://localhost", StringComparison.Ordinal)
            .Replace("://+", "://localhost", StringComparison.Ordinal).Replace("://*", "://localhost", StringComparison.Ordinal)
            .TrimEnd('/');
    }
}
