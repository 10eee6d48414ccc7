using Messaging.Application.Common;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Application.Contacts;

/// <summary>Contacts, blocks and message requests.</summary>
public sealed class ContactsModule : Module
{
    public override IReadOnlyList<string> Tables { get; } = ["contacts", "blocks", "declines", "message_requests"];

    public override void AddServices(IServiceCollection services) => services.AddSingleton<PairQueue>();
}
