namespace Messaging.Api.Errors;

public static class ErrorSetup
{
    public static IServiceCollection AddErrors(this IServiceCollection services)
    {
        // Thrown in every environment, so that one place words them.
        services.Configure<RouteHandlerOptions>(options => options.ThrowOnBadRequest = true);
        services.Configure<RouteOptions>(options => options.SetParameterPolicy<UserIdRouteConstraint>("userid"));
        return services;
    }
}
