using Messaging.Application.Common;
using Messaging.Infrastructure.Jobs;
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
        services.AddSingleton(provider => new Job(
            "quiet-conversations", provider.GetRequiredService<JobSettings>().QuietConversations,
            provider.GetRequiredService<QuietConversations>().CloseAsync));
        services.AddSingleton(provider => new Job(
            "purges", provider.GetRequiredService<JobSettings>().Purges, provider.GetRequiredService<Purges>().PurgeAsync));
    }
}
