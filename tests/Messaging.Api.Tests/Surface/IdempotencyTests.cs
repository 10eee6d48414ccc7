using System.Net.Http.Json;
using System.Text.Json;
using Messaging.Api.Tests.Auth;
using Messaging.Testing;
using Npgsql;

namespace Messaging.Api.Tests.Surface;

public sealed class IdempotencyTests
{
    private const string Quarter = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    private const string TooLong = Quarter + Quarter + Quarter + Quarter;

    ApiHost api = null!;

    HttpClient User => api.ClientFor("anna");

    HttpClient Service => api.ServiceClient();

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        api = await ApiHost.StartAsync();
        foreach (var id in new[] { "anna", "ben" })
            await Service.PutAsJsonAsync($"/v1/users/{id}", new { });
    }

    [OneTimeTearDown]
    public async Task StopAsync() => await api.DisposeAsync();

    [Test]
    public async Task A_repeat_is_given_the_first_answer()
    {
        using var first = await CreateAsync(User, "repeat", "Group");
        using var second = await CreateAsync(User, "repeat", "Group");
        await Assert.MultipleAsync(async () =>
        {
            Assert.That(second.StatusCode, Is.EqualTo(first.StatusCode).And.EqualTo(System.Net.HttpStatusCode.Created));
            Assert.That(await second.Content.ReadAsStringAsync(), Is.EqualTo(await first.Content.ReadAsStringAsync()));
            Assert.That(second.Headers.Location, Is.EqualTo(first.Headers.Location).And.Not.Null);
            Assert.That(second.Headers.ETag, Is.EqualTo(first.Headers.ETag).And.Not.Null);
            Assert.That(second.Content.Headers.ContentType, Is.EqualTo(first.Content.Headers.ContentType));
            Assert.That(first.Headers.Contains("Idempotent-Replayed"), Is.False);
            Assert.That(second.Headers.GetValues("Idempotent-Replayed"), Is.EqualTo(new[] { "true" }));
            Assert.That(await GroupsAsync("Group"), Is.EqualTo(1));
        });
    }

    [Test]
    public async Task Twenty_simultaneous_requests_with_one_key_have_one_effect()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => CreateAsync(User, "crowd", "Crowd").OutcomeAsync()));
        await Assert.MultipleAsync(async () =>
        {
            Assert.That(answers, Has.All.EqualTo("201").Or.EqualTo("409 idempotency-in-progress"));
            Assert.That(answers, Has.Some.EqualTo("201"));
            Assert.That(await GroupsAsync("Crowd"), Is.EqualTo(1));
            Assert.That(await CreateAsync(User, "crowd", "Crowd").OutcomeAsync(), Is.EqualTo("201"));
        });
    }

    [Test]
    public async Task Without_a_key_each_request_has_its_effect()
    {
        await CreateAsync(User, key: null, "Twice");
        await CreateAsync(User, key: null, "Twice");
        Assert.That(await GroupsAsync("Twice"), Is.EqualTo(2));
    }

    [Test]
    public async Task A_key_used_again_for_something_else_is_refused()
    {
        await CreateAsync(User, "reused", "One");
        await Assert.MultipleAsync(async () =>
        {
            Assert.That(await CreateAsync(User, "reused", "Other").OutcomeAsync(), Is.EqualTo("422 idempotency-key-reused"));
            Assert.That(await SendAsync(User, "reused", "/v1/conversations/direct", new { userId = "ben" }).OutcomeAsync(),
                Is.EqualTo("422 idempotency-key-reused"));
            Assert.That(await GroupsAsync("Other"), Is.Zero);
        });
    }

    [Test]
    public async Task A_key_is_its_owners_alone()
    {
        var ben = api.ClientFor("ben");
        await CreateAsync(User, "shared", "Annas", "ben");
        Assert.That(await CreateAsync(ben, "shared", "Bens", "anna").OutcomeAsync(), Is.EqualTo("201"));
    }

    [Test]
    public async Task A_refusal_is_an_answer_too()
    {
        Assert.That(await SendAsync(User, "refused", "/v1/conversations/direct", new { userId = "later" }).OutcomeAsync(),
            Is.EqualTo("400 invalid-request"));
        await Service.PutAsJsonAsync("/v1/users/later", new { });
        using var again = await SendAsync(User, "refused", "/v1/conversations/direct", new { userId = "later" });
        Assert.Multiple(() =>
        {
            Assert.That((int)again.StatusCode, Is.EqualTo(400));
            Assert.That(again.Content.Headers.ContentType?.MediaType, Is.EqualTo("application/problem+json"));
            Assert.That(again.Headers.Contains("Idempotent-Replayed"));
        });
    }

    [Test]
    public async Task A_refused_request_leaves_nothing_behind()
    {
        var body = new { userId = "ben", context = new { type = "undone", id = "1" },
            message = new { text = "hello", mentions = new[] { "stranger" } } };
        Assert.That(await SendAsync(User, "undone", "/v1/conversations/direct", body).OutcomeAsync(), Is.EqualTo("400 invalid-request"));
        Assert.That(await CountAsync("SELECT count(*) FROM conversations WHERE context_type = 'undone'"), Is.Zero);
    }

    [TestCase("")]
    [TestCase("a\tb")]
    [TestCase(TooLong)]
    public async Task A_key_that_is_none_is_pointed_at(string key) =>
        Assert.That(await CreateAsync(User, key, "None").PointersAsync(), Is.EqualTo("#/Idempotency-Key"));

    [Test]
    public async Task Sending_a_message_goes_by_its_own_key()
    {
        using var created = await CreateAsync(User, key: null, "Messages");
        var id = (await created.JsonAsync()).GetProperty("id").GetString();
        using var first = await SendAsync(User, "message", $"/v1/conversations/{id}/messages", new { text = "one" });
        using var second = await SendAsync(User, "message", $"/v1/conversations/{id}/messages", new { text = "two" });
        Assert.That((await first.JsonAsync()).GetProperty("seq").GetInt64(), Is.EqualTo(2), "the first one says that the group was made");
        Assert.That((await second.JsonAsync()).GetProperty("seq").GetInt64(), Is.EqualTo(3));
    }

    [Test]
    public async Task Who_waits_for_a_held_conversation_with_many_keys_keeps_nobody_else_waiting()
    {
        using var created = await CreateAsync(User, key: null, "Held");
        var id = (await created.JsonAsync()).GetProperty("id").GetGuid();
        await using var connection = await api.Database.DataSource.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var hold = new NpgsqlCommand("SELECT id FROM conversations WHERE id = $1 FOR UPDATE", connection, transaction))
        {
            hold.Parameters.AddWithValue(id);
            await hold.ExecuteNonQueryAsync();
        }

        var waiting = Enumerable.Range(0, 25).Select(i => SendAsync(User, $"held {i}", $"/v1/conversations/{id}/unread", new { seq = 1 }))
            .ToList();
        using var other = await CreateAsync(api.ClientFor("ben"), "free", "Free", other: "anna");

        Assert.That(other.StatusCode, Is.EqualTo(System.Net.HttpStatusCode.Created));
        Assert.That(waiting.Count(task => task.IsCompleted), Is.Zero);
        await transaction.CommitAsync();
        Assert.That((await Task.WhenAll(waiting)).Select(answer => (int)answer.StatusCode), Has.All.EqualTo(200).Or.EqualTo(503));
    }

    [Test]
    public async Task An_old_answer_is_forgotten()
    {
        await CreateAsync(User, "old", "Old");
        await CountAsync("WITH aged AS (UPDATE idempotency_keys SET created_at = now() - interval '49 hours' WHERE key = 'old' "
            + "RETURNING 1) SELECT count(*) FROM aged");
        await CreateAsync(User, "old", "Old");
        Assert.That(await GroupsAsync("Old"), Is.EqualTo(2));
    }

    static Task<HttpResponseMessage> CreateAsync(HttpClient client, string? key, string name, string other = "ben") =>
        SendAsync(client, key, "/v1/conversations", new { name, participantIds = new[] { other } });

    static async Task<HttpResponseMessage> SendAsync(HttpClient client, string? key, string path, object body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body) };
        if (key is not null)
            request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
        return await client.SendAsync(request);
    }

    Task<long> GroupsAsync(string name) => CountAsync($"SELECT count(*) FROM conversations WHERE name = '{name}'");

    async Task<long> CountAsync(string sql)
    {
        await using var command = api.Database.DataSource.CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync())!;
    }
}
