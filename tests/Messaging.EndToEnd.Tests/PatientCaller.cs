using System.Net.Http.Json;
using System.Text.Json;

namespace Messaging.EndToEnd.Tests;

/// <summary>What a node said at last to a call of a user.</summary>
sealed record PatientAnswer(int Status, JsonElement Body)
{
    /// <summary>Of a refusal.</summary>
    public string? Code => Body.TryGetProperty("code", out var code) ? code.GetString() : null;

    public string Text(string name) => Body.GetProperty(name).GetString()!;

    public long Number(string name) => Body.GetProperty(name).GetInt64();
}

/// <summary>
/// A user's calls, each to one node and the other until one of them answers: no answer in time and 5xx mean unknown, and are tried again.
/// </summary>
sealed class PatientCaller(ServiceNode[] nodes, string user) : IDisposable
{
    // A paused node does not answer.
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    readonly HttpClient[] clients = [.. nodes.Select(node => node.ClientFor(user))];

    public string User => user;

    /// <summary>Which node is asked first; after an answer the one that gave it.</summary>
    public int Turn { get; set; }

    public async Task<PatientAnswer> CallAsync(HttpMethod method, string path, object? body = null)
    {
        for (; ; Turn++)
        {
            if (await TryAsync(clients[Turn % clients.Length], method, path, body) is { } answer)
                return answer;
        }
    }

    /// <summary>The answer, which must be a success.</summary>
    public async Task<PatientAnswer> SucceedAsync(HttpMethod method, string path, object? body = null)
    {
        var answer = await CallAsync(method, path, body);
        Assert.That(answer.Status, Is.InRange(200, 299), $"{user}: {method} {path}: {answer.Body}");
        return answer;
    }

    public void Dispose()
    {
        foreach (var client in clients)
            client.Dispose();
    }

    static async Task<PatientAnswer?> TryAsync(HttpClient client, HttpMethod method, string path, object? body)
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
            using var answer = await client.SendAsync(request, patience.Token);
            if ((int)answer.StatusCode >= 500)
                return null;
            var said = await answer.Content.ReadAsByteArrayAsync(patience.Token);
            return new((int)answer.StatusCode, said.Length == 0 ? default : JsonElement.Parse(said));
        }
        catch (Exception e) when (
            e is HttpRequestException { StatusCode: null } or IOException or JsonException or OperationCanceledException)
        {
            return null;
        }
    }
}
