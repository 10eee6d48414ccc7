namespace Messaging.Api.RateLimiting;

/// <summary>Metadata: the call brings words or attention to others and takes from the budget of sends, too.</summary>
public sealed class SendLimit;

public static class RateLimitConventions
{
    /// <summary>Has the call take from the budget of sends, beside that of requests.</summary>
    public static TBuilder RequireSendLimit<TBuilder>(this TBuilder endpoint)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new SendLimit());
}
