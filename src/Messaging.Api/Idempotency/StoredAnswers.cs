using System.Text.Json;
using Messaging.Infrastructure.Idempotency;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Messaging.Api.Idempotency;

/// <summary>Answers as they are stored, and given again.</summary>
static class StoredAnswers
{
    private static readonly string[] StoredHeaders = [HeaderNames.ContentType, HeaderNames.Location, HeaderNames.ETag];

    public static StoredAnswer Of(byte[] fingerprint, HttpResponse response, byte[] body)
    {
        var headers = StoredHeaders
            .Where(name => !StringValues.IsNullOrEmpty(response.Headers[name]))
            .ToDictionary(name => name, name => response.Headers[name].ToString(), StringComparer.Ordinal);
        return new(fingerprint, response.StatusCode, JsonSerializer.Serialize(headers), body);
    }

    public static async Task WriteAsync(this StoredAnswer answer, HttpResponse response)
    {
        response.StatusCode = answer.Status;
        foreach (var (name, value) in JsonSerializer.Deserialize<Dictionary<string, string>>(answer.Headers)!)
            response.Headers[name] = value;
        response.Headers[IdempotencyConventions.ReplayedHeader] = "true";
        if (answer.Body.Length == 0)
            return;
        response.ContentLength = answer.Body.Length;
        await response.Body.WriteAsync(answer.Body);
    }
}
