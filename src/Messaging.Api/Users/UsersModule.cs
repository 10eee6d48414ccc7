using Messaging.Api.Configuration;

namespace Messaging.Api.Users;

/// <summary>Users.</summary>
public sealed class UsersModule : ApiModule
{
    public override void Map(IEndpointRouteBuilder routes) => routes.MapUsers();
}
