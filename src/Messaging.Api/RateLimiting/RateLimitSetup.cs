using Messaging.Api.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Messaging.Api.RateLimiting;

/// <summary>Metadata: the call brings words or attention to others and takes from the budget of sends, too.</summary>
public sealed class SendLimit;

public static class RateLimitSetup
{
    public static IServiceCollection AddRateLimits(this IServiceCollection services)
    {
        services.AddSettings<RateLimitSettings>("Messaging:RateLimits", settings => settings.Errors());
        services.TryAddSingleton(TimeProvider.System);
        return services.AddSingleton<RateLimits>();
    }

    /// <summary>Has the call take from the budget of sends, beside that of requests.</summary>
    public static TBuilder RequireSendLimit<TBuilder>(this TBuilder endpoint)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new SendLimit());
}
