using Messaging.Api.Configuration;

namespace Messaging.Api.Errors;

/// <summary>One shape of errors.</summary>
public sealed class ErrorsModule : ApiModule
{
    public override void AddServices(IServiceCollection services)
    {
        // Thrown in every environment, so that one place words them.
        services.Configure<RouteHandlerOptions>(options => options.ThrowOnBadRequest = true);
        services.Configure<RouteOptions>(options => options.SetParameterPolicy<UserIdRouteConstraint>("userid"));
    }
}
