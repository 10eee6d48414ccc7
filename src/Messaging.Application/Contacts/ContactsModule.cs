using Messaging.Application.Common;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Application.Contacts;

/// <summary>Contacts, blocks and message requests.</summary>
public sealed class ContactsModule : Module
{
    public override IReadOnlyList<string> Tables { get; } = ["contacts", "blocks", "declines", "message_requests"];

    // Who has not accepted a request yet; what is kept from the other one of two who are parted.
    public override IReadOnlyList<string> AlsoWrites { get; } = ["participants"];

    public override void AddServices(IServiceCollection services) => services.AddSingleton<PairQueue>();
}
