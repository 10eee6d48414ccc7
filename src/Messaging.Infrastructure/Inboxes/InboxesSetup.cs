using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Infrastructure.Inboxes;

public static class InboxesSetup
{
    public static IServiceCollection AddInboxes(this IServiceCollection services) => services.AddSingleton<LargeInboxes>();

    public static IServiceCollection AddInboxWorker(this IServiceCollection services) => services.AddHostedService<InboxWorker>();
}
