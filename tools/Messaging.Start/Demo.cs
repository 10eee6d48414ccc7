using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Messaging.Start;

enum DemoState
{
    None,
    Loading,
    Loaded,
}

sealed record DemoUser(string UserId, string DisplayName, string Token);

/// <summary>
/// People and conversations to try the service with, made through its own API. What the settings of this start do not allow is left out.
/// </summary>
sealed class Demo(HttpClient client, Action<string> tell)
{
    const int TokenSeconds = 86_400;

    static readonly (string UserId, string FirstName, string LastName)[] People =
        [("ada", "Ada", "Lovelace"), ("grace", "Grace", "Hopper"), ("linus", "Linus", "Torvalds")];

    static readonly (string From, string Text)[] DirectMessages =
    [
        ("grace", "Did the compiler take your program?"),
        ("ada", "At the second try. I had forgotten to carry the three."),
        ("grace", "There was a moth in mine. 🦋"),
    ];

    static readonly (string From, string Text)[] GroupMessages =
    [
        ("ada", "Welcome! Here we speak about engines, compilers and kernels."),
        ("linus", "Talk is cheap. Show me the code."),
        ("grace", "The most dangerous phrase is: we have always done it this way."),
        ("ada", "Then let us try something new."),
    ];

    /// <summary>
    /// Loads once per data folder. A load that was killed or refused is finished by the next start, by the same idempotency keys; a
    /// database that has these users from elsewhere is left as it is.
    /// </summary>
    public async Task LoadAsync(DataFolder data, CancellationToken ct)
    {
        if (data.Demo == DemoState.Loaded)
            return;

        try
        {
            if (data.Demo == DemoState.Loading || !await HasUsersAsync(ct))
            {
                data.Demo = DemoState.Loading;
                await LoadAsync(ct);
            }

            data.Demo = DemoState.Loaded;
        }
        catch (RefusedException refusal)
        {
            tell($"The demo, or the rest of it, is left out: {refusal.Message}");
        }
    }

    /// <summary>Tokens of those whom the service gives one.</summary>
    public async Task<IReadOnlyList<DemoUser>> TokensAsync(CancellationToken ct)
    {
        var users = new List<DemoUser>();
        try
        {
            foreach (var person in People)
            {
                var minted = await SendAsync(HttpMethod.Post, $"v1/users/{person.UserId}/tokens", new { ttlSeconds = TokenSeconds }, ct);
                users.Add(new(person.UserId, DisplayName(person), minted.GetProperty("token").GetString()!));
            }
        }
        catch (RefusedException refusal)
        {
            tell($"There is no token for everyone of the demo: {refusal.Message}");
        }

        return users;
    }

    async Task<bool> HasUsersAsync(CancellationToken ct)
    {
        var found = await SendAsync(
            HttpMethod.Get, $"v1/users?ids={string.Join(',', People.Select(person => person.UserId))}", body: null, ct);
        return found.GetProperty("items").GetArrayLength() > 0;
    }

    async Task LoadAsync(CancellationToken ct)
    {
        var users = People.Select(
            person => new { userId = person.UserId, displayName = DisplayName(person), person.FirstName, person.LastName });
        await SendAsync(HttpMethod.Put, "v1/users", new { users }, ct);

        var direct = await SendAsync(HttpMethod.Post, "v1/conversations/direct", new { userId = "grace" }, ct, actor: "ada");
        await SayAsync(direct, DirectMessages, ct);

        var group = await SendAsync(
            HttpMethod.Post,
            "v1/conversations",
            new { name = "Engines", description = "A conversation to look around in.", participantIds = (string[])["grace", "linus"] },
            ct,
            actor: "ada",
            idempotencyKey: "demo-group");
        await SayAsync(group, GroupMessages, ct);
    }

    async Task SayAsync(JsonElement conversation, IEnumerable<(string From, string Text)> messages, CancellationToken ct)
    {
        var id = conversation.GetProperty("id").GetString();
        foreach (var (number, (from, text)) in messages.Index())
            await SendAsync(
                HttpMethod.Post, $"v1/conversations/{id}/messages", new { clientMessageId = $"demo-{number}", text }, ct, actor: from);
    }

    async Task<JsonElement> SendAsync(
        HttpMethod method, string path, object? body, CancellationToken ct, string? actor = null, string? idempotencyKey = null)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        if (body is not null)
            request.Content = JsonContent.Create(body, options: JsonSerializerOptions.Web);
        if (actor is not null)
            request.Headers.Add("X-User-Id", actor);
        if (idempotencyKey is not null)
            request.Headers.Add("Idempotency-Key", idempotencyKey);

        try
        {
            using var answer = await client.SendAsync(request, ct);
            var text = await answer.Content.ReadAsStringAsync(ct);
            return answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.Created
                ? JsonElement.Parse(text)
                : throw new RefusedException($"{method} /{path} was answered with {(int)answer.StatusCode}: {text}");
        }
        catch (HttpRequestException e)
        {
            throw new RefusedException($"{method} /{path} had no answer: {e.Message}");
        }
    }

    sealed class RefusedException(string message) : Exception(message);

    static string DisplayName((string UserId, string FirstName, string LastName) person) => $"{person.FirstName} {person.LastName}";
}
