using Messaging.Api.Configuration;

namespace Messaging.Api.ServiceKeys;

/// <summary>Service keys.</summary>
public sealed class ServiceKeysModule : ApiModule
{
    public override IReadOnlyDictionary<string, string> Tags { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["Administration"] = "For the operator's own services.",
    };

    public override void Map(IEndpointRouteBuilder routes) => routes.MapServiceKeys();
}
