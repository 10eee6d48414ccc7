using System.Reflection;
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
        services.AddSingleton<Events.OutboxSignal>();
        services.AddSingleton<Events.EventTeller>();
        services.AddSingleton<Messages.MessageExtraSet>();
        services.AddSingleton<Conversations.LargeInboxNotes>();
        services.AddSingleton<Search.SearchLane>();
        services.AddSingleton<Writing.ConversationWriter>();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<Revocations.RevocationList>();
        services.AddTransient<ServiceFactory>(provider => provider.GetService!);
        services.AddTransient<IMediator, Mediator>();
        services.AddTransient(typeof(IPipelineBehavior<,>), typeof(LoggingBehavior<,>));
        services.AddTransient(typeof(IPipelineBehavior<,>), typeof(ValidationBehavior<,>));
        services.AddTransient(typeof(IPipelineBehavior<,>), typeof(TransactionBehavior<,>));
        foreach (var type in Assembly.GetExecutingAssembly().GetTypes().Where(t => t is { IsAbstract: false, IsGenericTypeDefinition: false }))
        {
            foreach (var contract in type.GetInterfaces().Where(i => i.IsGenericType))
            {
                if (contract.GetGenericTypeDefinition() == typeof(IRequestHandler<,>))
                    services.AddTransient(contract, type);
                else if (contract.GetGenericTypeDefinition() == typeof(IValidator<>))
                    services.AddSingleton(contract, type);
            }
            if (type.IsAssignableTo(typeof(Events.IEventSource)))
                services.AddSingleton(typeof(Events.IEventSource), type);
            if (type.IsAssignableTo(typeof(Messages.MessageExtra)))
                services.AddSingleton(typeof(Messages.MessageExtra), type);
            // Stores: the SQL that several slices share to load or save one aggregate.
            if (type.Name.EndsWith("Store", StringComparison.Ordinal) || type == typeof(Events.Outbox) || type == typeof(Messages.MessageSender)
                || type == typeof(Messages.MessageReader) || type == typeof(Writing.ChangeRunner))
                services.AddScoped(type);
        }
        return services;
    }
}
