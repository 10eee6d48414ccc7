using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Messaging.Benchmarks.Load;

/// <summary>Requests as bytes, with tokens of the secret that the service is started with.</summary>
sealed class Requests(string issuer, string audience, string secret)
{
    readonly Dictionary<string, string> tokens = new(StringComparer.Ordinal);

    public byte[] Get(string user, string path) =>
        Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {Token(user)}\r\n\r\n");

    public byte[] Post(string user, string path, string json) => Encoding.UTF8.GetBytes(string.Create(
        CultureInfo.InvariantCulture,
        $"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {Token(user)}\r\nContent-Type: "
            + $"application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(json)}\r\n\r\n{json}"));

    /// <summary>HS256, good for a day.</summary>
    public string Token(string user)
    {
        if (tokens.TryGetValue(user, out var known))
            return known;

        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var claims = new { iss = issuer, aud = audience, sub = user, iat = now, exp = now + 86_400 };
        var text = $"{Part(new { alg = "HS256", typ = "JWT" })}.{Part(claims)}";
        var signature = HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.ASCII.GetBytes(text));
        return tokens[user] = $"{text}.{System.Buffers.Text.Base64Url.EncodeToString(signature)}";
    }

    static string Part(object value) => System.Buffers.Text.Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(value));
}
