using Messaging.Application.Common;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Infrastructure.Retention;

/// <summary>Closes what is quiet, and removes what was deleted.</summary>
public sealed class RetentionModule : Module
{
    // Of conversations that were deleted.
    public override IReadOnlyList<string> AlsoWrites { get; } = ["messages", "purges"];

    public override void AddServices(IServiceCollection services)
    {
        services.AddSingleton<QuietConversations>();
        services.AddSingleton<Purges>();
    }

    public override void AddWorkers(IServiceCollection services) => services.AddHostedService<RetentionWorker>();
}
