using Messaging.Application.Common;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Infrastructure.Jobs;

/// <summary>Work that is done now and then, by one node.</summary>
public sealed class JobsModule : Module
{
    public override void AddServices(IServiceCollection services) => services.AddSingleton<JobRunner>();

    public override void AddWorkers(IServiceCollection services) => services.AddHostedService<JobWorker>();
}
