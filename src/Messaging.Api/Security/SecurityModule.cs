using Messaging.Api.Configuration;
using Microsoft.AspNetCore.Cors.Infrastructure;

namespace Messaging.Api.Security;

/// <summary>Browsers of other origins, and the proxies in front.</summary>
public sealed class SecurityModule : ApiModule
{
    public override void AddServices(IServiceCollection services)
    {
        services.AddCors();
        services.AddOptions<CorsOptions>().Configure<CorsSettings>((cors, settings) => cors.AddDefaultPolicy(policy => policy
            .WithOrigins([.. settings.Origins])
            .WithMethods("GET", "POST", "PUT", "PATCH", "DELETE")
            .AllowAnyHeader()
            // The SignalR client of browsers asks with credentials, though we use no cookie.
            .AllowCredentials()
            .WithExposedHeaders("ETag", "Location", "Retry-After", "RateLimit", "RateLimit-Policy", "Idempotent-Replayed")
            .SetPreflightMaxAge(TimeSpan.FromMinutes(10))));
        services.AddTrustedProxies();
    }
}
