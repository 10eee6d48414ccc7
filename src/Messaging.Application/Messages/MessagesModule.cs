using Messaging.Application.Common;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Application.Messages;

/// <summary>Sending and reading messages, with what hangs on them.</summary>
public sealed class MessagesModule : Module
{
    public override void AddServices(IServiceCollection services)
    {
        services.AddSingleton<MessageExtraSet>();
        services.AddScoped<MessageSender>();
        services.AddScoped<MessageReader>();
    }
}
