using System.Text.Json;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Messaging.Api.Idempotency;

/// <summary>An answer as it was first given, to be given again.</summary>
/// <param name="Fingerprint">Of the request that it answers.</param>
/// <param name="Headers">Those of <see cref="Kept"/> that were set, as a JSON object.</param>
public sealed record StoredAnswer(byte[] Fingerprint, int Status, string Headers, byte[] Body)
{
    private static readonly string[] Kept = [HeaderNames.ContentType, HeaderNames.Location, HeaderNames.ETag];

    public static StoredAnswer Of(byte[] fingerprint, HttpResponse response, byte[] body)
    {
        var headers = Kept
            .Where(name => !StringValues.IsNullOrEmpty(response.Headers[name]))
            .ToDictionary(name => name, name => response.Headers[name].ToString(), StringComparer.Ordinal);
        return new(fingerprint, response.StatusCode, JsonSerializer.Serialize(headers), body);
    }

    public async Task WriteAsync(HttpResponse response)
    {
        response.StatusCode = Status;
        foreach (var (name, value) in JsonSerializer.Deserialize<Dictionary<string, string>>(Headers)!)
            response.Headers[name] = value;
        response.Headers[IdempotencyConventions.ReplayedHeader] = "true";
        if (Body.Length == 0)
            return;
        response.ContentLength = Body.Length;
        await response.Body.WriteAsync(Body);
    }
}
