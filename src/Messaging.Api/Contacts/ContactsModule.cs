using Messaging.Api.Configuration;

namespace Messaging.Api.Contacts;

/// <summary>Contacts, blocks and requests.</summary>
public sealed class ContactsModule : ApiModule
{
    public override IReadOnlyDictionary<string, string> Tags { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["Contacts"] = "Who knows whom: contacts, blocks, and first messages that wait for an answer.",
    };

    public override void Map(IEndpointRouteBuilder routes) => routes.MapContacts();
}
