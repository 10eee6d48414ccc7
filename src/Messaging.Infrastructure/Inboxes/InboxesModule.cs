using Messaging.Application.Common;
using Messaging.Infrastructure.Jobs;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Infrastructure.Inboxes;

/// <summary>Large inboxes, whose order is stored.</summary>
public sealed class InboxesModule : Module
{
    public override IReadOnlyList<string> Tables { get; } = ["large_inboxes", "inbox_places"];

    public override void AddServices(IServiceCollection services)
    {
        services.AddSingleton<LargeInboxes>();
        services.AddSingleton(provider => new Job(
            "large-inboxes", provider.GetRequiredService<JobSettings>().LargeInboxes,
            provider.GetRequiredService<LargeInboxes>().TendAsync));
    }

    public override void AddWorkers(IServiceCollection services) => services.AddHostedService<InboxWorker>();
}
