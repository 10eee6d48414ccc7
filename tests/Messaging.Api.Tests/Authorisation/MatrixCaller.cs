using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Messaging.Api.Tests.Auth;
using Messaging.Domain.ServiceKeys;
using Messaging.Testing;

namespace Messaging.Api.Tests.Authorisation;

/// <summary>Makes the calls of the table, each with its caller's credential.</summary>
sealed class MatrixCaller(ApiHost api, Matrix matrix, MatrixWorld world)
{
    private readonly HttpClient client = api.AnonymousClient();
    private readonly Dictionary<string, string> keysWith = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> hubKeysWith = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> keysWithout = new(StringComparer.Ordinal);

    /// <summary>Makes, for each scope, a key with it alone and one with all the others.</summary>
    public async Task MakeKeysAsync()
    {
        var scopes = Enum.GetNames<Scope>().Select(name => name.ToLowerInvariant()).ToArray();
        foreach (var scope in scopes)
            keysWith[scope] = await MakeKeyAsync([scope]);
        foreach (var scope in matrix.Rows.Where(row => row.Method == MatrixRow.Hub).Select(row => row.Need!).Distinct())
            hubKeysWith[scope] = await MakeKeyAsync([.. new[] { scope, "events" }.Distinct()]);
        foreach (var row in matrix.Rows.Where(row => row.Need is not null).DistinctBy(row => row.Need))
            keysWithout[row.Need!] = await MakeKeyAsync([.. scopes.Where(other => !row.Needs.Contains(other) && other != "admin")]);
    }

    /// <summary>Status and problem code, such as <c>404 not-found</c>; over the hub 200 for whatever went well.</summary>
    public async Task<string> CallAsync(MatrixCell cell)
    {
        if (cell.Row.Method == MatrixRow.Hub)
            return await CallHubAsync(cell);
        using var request = new HttpRequestMessage(new HttpMethod(cell.Row.Method), world.Fill(cell.Row.Target, cell));
        foreach (var (name, value) in Credential(cell))
            request.Headers.TryAddWithoutValidation(name, value);
        if (cell.Row.Body is { } body)
            request.Content = ContentOf(world.Fill(body, cell));
        // A stream of events is answered with no more than its beginning.
        return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).OutcomeAsync();
    }

    /// <summary>A connection on which the cell's caller hears what there is to hear.</summary>
    public async Task<MatrixSocket> ListenAsync(MatrixCell cell) =>
        (await MatrixSocket.ConnectAsync(api.Address, [("Authorization", $"Bearer {ApiHost.Token(MatrixWorld.UserOf(cell))}")])).Socket!;

    private async Task<string> CallHubAsync(MatrixCell cell)
    {
        var (socket, status) = await MatrixSocket.ConnectAsync(api.Address, Credential(cell));
        if (socket is null)
            return matrix.WithStatus(
                status switch { 400 => "invalid-request", 401 => "unauthenticated", 403 => "scope-missing", _ => $"{status}" });
        await using var connection = socket;
        return await connection.CallAsync(cell.Row.Target, world.Fill(cell.Row.Body!, cell)) is { } code ? matrix.WithStatus(code) : "200";
    }

    // form:name=value&… is multipart, its part "file" a file.
    private static HttpContent ContentOf(string body)
    {
        if (!body.StartsWith("form:", StringComparison.Ordinal))
            return new StringContent(body, Encoding.UTF8, "application/json");
        var form = new MultipartFormDataContent();
        foreach (var part in body[5..].Split('&').Select(part => part.Split('=', 2)))
        {
            if (part[0] == "file")
                form.Add(new StringContent(part[1]), part[0], "file.txt");
            else
                form.Add(new StringContent(part[1]), part[0]);
        }
        return form;
    }

    private IEnumerable<(string Name, string Value)> Credential(MatrixCell cell)
    {
        var user = MatrixWorld.UserOf(cell);
        return cell.Caller switch
        {
            "anonymous" => [],
            "garbage" => [("Authorization", "Bearer garbage")],
            "expired" => [("Authorization", $"Bearer {ApiHost.Token(user, TimeSpan.FromMinutes(-1))}")],
            "other-audience" => [("Authorization", $"Bearer {ApiHost.Token(user, null, ("aud", "another"))}")],
            "service" => [("X-Api-Key", KeyOf(cell.Row))],
            "key-without-scope" when cell.Row.Method == MatrixRow.Hub => [("X-Api-Key", keysWithout[cell.Row.Need!]), ("X-User-Id", user)],
            "key-without-scope" => [("X-Api-Key", cell.Row.Need is { } lacked ? keysWithout[lacked] : ApiHost.ServiceKey)],
            "key-as-member" => [("X-Api-Key", KeyOf(cell.Row)), ("X-User-Id", user)],
            _ => [("Authorization", $"Bearer {ApiHost.Token(user)}")],
        };
    }

    private string KeyOf(MatrixRow row) => row.Needs is [.., var need]
        ? (row.Method == MatrixRow.Hub ? hubKeysWith : keysWith)[need]
        : ApiHost.ServiceKey;

    private async Task<string> MakeKeyAsync(string[] scopes)
    {
        var made = await api.ServiceClient().PostAsJsonAsync("/v1/admin/keys", new { name = string.Join(' ', scopes), scopes });
        return (await made.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("key").GetString()!;
    }
}
