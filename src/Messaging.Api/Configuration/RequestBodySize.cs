using Microsoft.AspNetCore.Http.Metadata;

namespace Messaging.Api.Configuration;

/// <summary>Metadata: how many bytes the body of this endpoint may have.</summary>
public sealed record RequestBodySize(long? MaxRequestBodySize) : IRequestSizeLimitMetadata;

public static class RequestBodySizeExtensions
{
    public static TBuilder WithBodyOf<TBuilder>(this TBuilder endpoint, long bytes)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new RequestBodySize(bytes));
}
