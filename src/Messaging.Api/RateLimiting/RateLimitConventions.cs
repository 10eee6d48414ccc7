namespace Messaging.Api.RateLimiting;

/// <summary>Metadata: the call brings words or attention to others and takes from the budget of sends, too.</summary>
public sealed class SendLimit;

/// <summary>
/// Metadata: the call writes, and the budget of requests is enough for it all the same. Stands on methods of the hub, too.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class WithoutSendLimitAttribute(string reason) : Attribute
{
    public string Reason { get; } = reason;
}

public static class RateLimitConventions
{
    /// <summary>Has the call take from the budget of sends, beside that of requests.</summary>
    public static TBuilder RequireSendLimit<TBuilder>(this TBuilder endpoint)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new SendLimit());

    /// <summary>Says why the call, or each of a group that writes, takes from the budget of requests alone.</summary>
    public static TBuilder WithoutSendLimit<TBuilder>(this TBuilder endpoint, string reason)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new WithoutSendLimitAttribute(reason));
}
