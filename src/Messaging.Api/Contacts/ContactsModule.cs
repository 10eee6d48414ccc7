using Messaging.Api.Configuration;

namespace Messaging.Api.Contacts;

/// <summary>Contacts, blocks and requests.</summary>
public sealed class ContactsModule : ApiModule
{
    public override void Map(IEndpointRouteBuilder routes) => routes.MapContacts();
}
