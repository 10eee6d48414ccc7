using Messaging.Api.Configuration;

namespace Messaging.Api.Search;

/// <summary>Search.</summary>
public sealed class SearchModule : ApiModule
{
    public override void Map(IEndpointRouteBuilder routes) => routes.MapSearch();
}
