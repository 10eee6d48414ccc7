namespace Messaging.Api.Idempotency;

/// <summary>Metadata: this POST takes no Idempotency-Key, since it is safe to repeat by other means.</summary>
public sealed class NoIdempotencyKey;

public static class IdempotencyConventions
{
    public const string Header = "Idempotency-Key";
    public const string ReplayedHeader = "Idempotent-Replayed";

    /// <summary>For POSTs with a key of their own in the body, such as the sending of a message.</summary>
    public static TBuilder WithoutIdempotencyKey<TBuilder>(this TBuilder endpoint)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new NoIdempotencyKey());

    /// <summary>Whether the endpoint honours the header.</summary>
    public static bool TakesIdempotencyKey(this Endpoint endpoint) =>
        endpoint is RouteEndpoint { RoutePattern.RawText: { } route }
        && route.TrimStart('/').StartsWith("v1/", StringComparison.Ordinal)
        && endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods.Contains("POST") == true
        && endpoint.Metadata.GetMetadata<NoIdempotencyKey>() is null;
}
