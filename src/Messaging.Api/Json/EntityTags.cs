using System.Globalization;

namespace Messaging.Api.Json;

/// <summary>ETags are versions: what is in the body stands in the header too.</summary>
public static class EntityTags
{
    public static void SetETag(this HttpContext context, long version) =>
        context.Response.Headers.ETag = string.Create(CultureInfo.InvariantCulture, $"\"{version}\"");
}
