using Messaging.Application.Common;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Infrastructure.Notifications;

/// <summary>Makes notifications out of the feed.</summary>
public sealed class NotificationsModule : Module
{
    // That a user is notified is told like everything else.
    public override IReadOnlyList<string> AlsoWrites { get; } = ["outbox"];

    public override void AddServices(IServiceCollection services) => services.AddSingleton<NotificationMaker>();

    public override void AddWorkers(IServiceCollection services) => services.AddHostedService<NotificationFollower>();
}
