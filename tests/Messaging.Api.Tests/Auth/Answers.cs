using System.Net.Http.Json;
using System.Text.Json;
using Messaging.Testing;
using Microsoft.IdentityModel.Tokens;

namespace Messaging.Api.Tests.Auth;

/// <summary>Reads an answer as tests compare it.</summary>
static class Answers
{
    /// <summary>Status and problem code, such as <c>401 unauthenticated</c>; the status alone for what is no problem.</summary>
    public static async Task<string> OutcomeAsync(this Task<HttpResponseMessage> sending)
    {
        using var response = await sending;
        var status = $"{(int)response.StatusCode}";
        return response.Content.Headers.ContentType?.MediaType == "application/problem+json"
            ? $"{status} {(await response.JsonAsync()).GetProperty("code").GetString()}"
            : status;
    }

    /// <summary>The pointers of a 400, joined.</summary>
    public static async Task<string> PointersAsync(this Task<HttpResponseMessage> sending)
    {
        using var response = await sending;
        var problem = await response.JsonAsync();
        return string.Join(' ', problem.GetProperty("errors").EnumerateArray().Select(e => e.GetProperty("pointer").GetString()));
    }

    /// <summary>What a user is answered whose token is signed by such a key.</summary>
    public static Task<string> MeAsync(this ApiHost api, SigningCredentials credentials, string user) =>
        api.ClientWithToken(ApiHost.Token(
            new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["sub"] = user,
                ["iss"] = ApiHost.Issuer,
                ["aud"] = ApiHost.Audience,
                ["exp"] = DateTimeOffset.UtcNow.AddHours(1).ToUnixTimeSeconds(),
            },
            credentials)).GetAsync("/v1/me").OutcomeAsync();

    public static Task<JsonElement> JsonAsync(this HttpResponseMessage response) => response.Content.ReadFromJsonAsync<JsonElement>();
}
