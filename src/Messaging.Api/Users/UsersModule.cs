using Messaging.Api.Configuration;

namespace Messaging.Api.Users;

/// <summary>Users.</summary>
public sealed class UsersModule : ApiModule
{
    public override IReadOnlyDictionary<string, string> Tags { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["Users"] = "People of the host product, as it makes them known.",
    };

    public override void Map(IEndpointRouteBuilder routes) => routes.MapUsers();
}
