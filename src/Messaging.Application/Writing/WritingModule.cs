using Messaging.Application.Common;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Application.Writing;

/// <summary>The one writer of conversations.</summary>
public sealed class WritingModule : Module
{
    public override IReadOnlyList<string> Tables { get; } = ["outbox"];

    public override void AddServices(IServiceCollection services)
    {
        services.AddSingleton<ConversationWriter>();
        services.AddScoped<ChangeRunner>();
        // A batch has a scope of its own.
        services.AddScoped<ChangeSet>();
        foreach (var part in Scan.For<ChangePart>(typeof(WritingModule).Assembly))
        {
            services.AddScoped(part);
            services.AddScoped(provider => (ChangePart)provider.GetRequiredService(part));
        }
    }
}
