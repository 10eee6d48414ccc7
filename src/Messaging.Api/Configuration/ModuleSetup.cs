using System.Reflection;
using Messaging.Application;
using Messaging.Infrastructure.Database;
using Module = Messaging.Application.Common.Module;

namespace Messaging.Api.Configuration;

/// <summary>All modules and settings of the service, found by scanning.</summary>
public static class ModuleSetup
{
    private static readonly Assembly[] Projects =
        [typeof(ApplicationSetup).Assembly, typeof(DatabaseStart).Assembly, typeof(ModuleSetup).Assembly];

    private static IReadOnlyList<Module> Modules { get; } = Module.FindIn(Projects);

    public static IServiceCollection AddModules(this IServiceCollection services, IHostEnvironment environment) =>
        services.AddApplication().AddSettingsOf(Projects, environment.IsProduction()).AddModules(Modules);

    /// <summary>The work behind the API.</summary>
    public static IServiceCollection AddWorkers(this IServiceCollection services)
    {
        foreach (var module in Modules)
            module.AddWorkers(services);
        return services;
    }

    public static void UseModulesBeforeAuthorization(this IApplicationBuilder app)
    {
        foreach (var module in Modules.OfType<ApiModule>())
            module.UseBeforeAuthorization(app);
    }

    public static void UseModulesAfterAuthorization(this IApplicationBuilder app)
    {
        foreach (var module in Modules.OfType<ApiModule>())
            module.UseAfterAuthorization(app);
    }

    public static void MapModules(this IEndpointRouteBuilder routes)
    {
        foreach (var module in Modules.OfType<ApiModule>())
            module.Map(routes);
    }
}
