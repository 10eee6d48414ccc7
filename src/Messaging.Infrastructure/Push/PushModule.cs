using Messaging.Application.Common;
using Messaging.Application.Push;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Infrastructure.Push;

/// <summary>Sends notifications to devices.</summary>
public sealed class PushModule : Module
{
    public override IReadOnlyList<string> Tables { get; } = ["pushes"];

    // What came of a push, and devices that take none any more.
    public override IReadOnlyList<string> AlsoWrites { get; } = ["notifications", "devices"];

    public override void AddServices(IServiceCollection services)
    {
        services.AddSingleton<PushHandlers>();
        services.AddSingleton<PushLanes>();
        services.AddSingleton<PushQueue>();
        foreach (var provider in Scan.For<IPushProvider>(typeof(PushModule).Assembly))
            services.AddSingleton(typeof(IPushProvider), provider);
    }

    public override void AddWorkers(IServiceCollection services) => services.AddHostedService<PushWorker>();
}
