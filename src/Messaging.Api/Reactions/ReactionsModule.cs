using Messaging.Api.Configuration;

namespace Messaging.Api.Reactions;

/// <summary>Reactions.</summary>
public sealed class ReactionsModule : ApiModule
{
    public override IReadOnlyDictionary<string, string> Tags { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["Reactions"] = "Emoji that people put to messages.",
    };

    public override void Map(IEndpointRouteBuilder routes) => routes.MapReactions();
}
