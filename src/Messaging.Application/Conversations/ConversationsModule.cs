using Messaging.Application.Common;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Application.Conversations;

/// <summary>Conversations and inboxes.</summary>
public sealed class ConversationsModule : Module
{
    public override void AddServices(IServiceCollection services)
    {
        services.AddSingleton<LargeInboxNotes>();
    }
}
