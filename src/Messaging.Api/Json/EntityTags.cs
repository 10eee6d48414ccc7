using System.Globalization;
using Microsoft.Net.Http.Headers;

namespace Messaging.Api.Json;

/// <summary>ETags are versions: what is in the body stands in the header too.</summary>
public static class EntityTags
{
    public static void SetETag(this HttpContext context, long version) =>
        context.Response.Headers.ETag = string.Create(CultureInfo.InvariantCulture, $"\"{version}\"");

    /// <summary>The versions of which the request says that the entity must have one; null where it says nothing, or any will do.</summary>
    public static IReadOnlyList<long>? ExpectedVersions(this HttpContext context)
    {
        var tags = context.Request.GetTypedHeaders().IfMatch;
        return tags.Count == 0 || tags.Any(tag => tag.Equals(EntityTagHeaderValue.Any))
            ? context.Request.Headers.IfMatch.Count == 0 || tags.Count > 0 ? null : []
            : [.. tags.Where(tag => !tag.IsWeak).Select(tag => long.TryParse(tag.Tag.AsSpan().Trim('"'), NumberStyles.None, CultureInfo.InvariantCulture, out var version) ? version : -1)];
    }
}
