using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Messaging.Application;

/// <summary>Everything MediatR-specific beside the marker interfaces stands here.</summary>
public static class ApplicationSetup
{
    public static IServiceCollection AddApplication(this IServiceCollection services)
    {
        DapperTypes.Register();
        services.AddScoped<DbSession>();
        services.TryAddSingleton(TimeProvider.System);
        services.AddTransient<ServiceFactory>(provider => provider.GetService!);
        services.AddTransient<IMediator, Mediator>();
        services.AddTransient(typeof(IPipelineBehavior<,>), typeof(LoggingBehavior<,>));
        services.AddTransient(typeof(IPipelineBehavior<,>), typeof(ValidationBehavior<,>));
        services.AddTransient(typeof(IPipelineBehavior<,>), typeof(TransactionBehavior<,>));
        foreach (var type in typeof(ApplicationSetup).Assembly.GetTypes()
            .Where(t => t is { IsAbstract: false, IsGenericTypeDefinition: false }))
        {
            foreach (var contract in type.GetInterfaces().Where(i => i.IsGenericType))
            {
                if (contract.GetGenericTypeDefinition() == typeof(IRequestHandler<,>))
                    services.AddTransient(contract, type);
                else if (contract.GetGenericTypeDefinition() == typeof(IValidator<>))
                    services.AddSingleton(contract, type);
            }
            // Stores: the SQL that several slices share to load or save one aggregate.
            if (type.Name.EndsWith("Store", StringComparison.Ordinal))
                services.AddScoped(type);
        }
        foreach (var source in Scan.For<Events.IEventSource>(typeof(ApplicationSetup).Assembly))
            services.AddSingleton(typeof(Events.IEventSource), source);
        foreach (var detail in Scan.For<Messages.MessageDetail>(typeof(ApplicationSetup).Assembly))
            services.AddSingleton(typeof(Messages.MessageDetail), detail);
        return services;
    }

    public static IServiceCollection AddModules(this IServiceCollection services, IEnumerable<Module> modules)
    {
        foreach (var module in modules)
        {
            services.AddSingleton(module);
            module.AddServices(services);
        }
        return services;
    }
}
