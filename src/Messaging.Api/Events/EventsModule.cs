using Messaging.Api.Configuration;

namespace Messaging.Api.Events;

/// <summary>Catching up.</summary>
public sealed class EventsModule : ApiModule
{
    public override IReadOnlyDictionary<string, string> Tags { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["Integration"] = "What happened since a cursor, and a state to start from.",
    };

    public override void AddServices(IServiceCollection services) => services.AddSingleton<EventStreams>();

    public override void Map(IEndpointRouteBuilder routes) => routes.MapSync().MapEventStream();
}
