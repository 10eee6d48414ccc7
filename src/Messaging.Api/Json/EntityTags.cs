using System.Globalization;
using Messaging.Domain.Common;
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
        var header = context.Request.Headers.IfMatch;
        if (header.Count == 0)
            return null;
        // Clients also send the body's version as it stands there.
        if (header is [{ } bare] && TryParse(bare, out var only))
            return [only];
        if (!EntityTagHeaderValue.TryParseStrictList(header, out var tags) || (tags.Contains(EntityTagHeaderValue.Any) && tags.Count > 1))
            throw CommonErrors.Invalid("If-Match", "An ETag in quotes is expected, such as \"3\", a list of ETags, or *.");
        // A weak tag never matches (RFC 9110, 13.1.1), and neither does what no version looks like.
        return tags.Contains(EntityTagHeaderValue.Any)
            ? null
            : [.. tags.Where(tag => !tag.IsWeak).Select(tag => TryParse(tag.Tag.AsSpan().Trim('"'), out var version) ? version : -1)];
    }

    private static bool TryParse(ReadOnlySpan<char> text, out long version) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out version);
}
