namespace Messaging.Api.Errors;

public static class ErrorSetup
{
    /// <summary>Has the framework throw what it would answer by itself, in every environment, so that one place words it.</summary>
    public static IServiceCollection AddErrors(this IServiceCollection services) =>
        services.Configure<RouteHandlerOptions>(options => options.ThrowOnBadRequest = true);
}
