using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Messaging.Api.Tests.Auth;
using Messaging.Infrastructure.Attachments;
using Messaging.Infrastructure.Events;
using Messaging.Infrastructure.Retention;
using Messaging.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Api.Tests.Surface;

/// <summary>A node whose own clock is two months ahead of the database's.</summary>
public sealed class ClockTests
{
    private ApiHost api = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => api = await ApiHost.StartAsync(new TwoMonthsAhead());

    [OneTimeTearDown]
    public async Task StopAsync() => await api.DisposeAsync();

    [Test]
    public async Task Slow_mode_holds_whatever_the_nodes_clock_says()
    {
        var id = await GroupAsync(new { slowModeSeconds = 3600 });
        await MakeAsAnotherNodeAsync(id);
        await SendAsync("ben", id);

        Assert.That(await Client("ben").PostAsJsonAsync($"/v1/conversations/{id}/messages", new { text = "again" }).OutcomeAsync(),
            Is.EqualTo("429 rate-limited"));
    }

    [Test]
    public async Task A_conversation_that_it_makes_and_changes_sends_at_the_databases_time()
    {
        var id = await GroupAsync();
        using var renamed = await Client("anna").PatchAsJsonAsync($"/v1/conversations/{id}", new { name = "Now" });
        renamed.EnsureSuccessStatusCode();

        var sent = await SendAsync("ben", id);
        Assert.That(await TrueAsync($"SELECT abs(extract(epoch FROM created_at - now())) < 60 FROM messages WHERE id = '{sent}'"), Is.True);
        Assert.That(await TrueAsync($"SELECT last_event_at <= now() + interval '1 minute' FROM conversations WHERE id = '{id}'"), Is.True);
    }

    [Test]
    public async Task Nothing_that_is_young_is_cleared_away()
    {
        var id = await GroupAsync();
        await SendAsync("ben", id, key: "once");
        await ExecuteAsync("INSERT INTO login_failures (username, failures, ends_at) VALUES ('anna', 10, now() + interval '10 minutes')");

        await api.Services.GetRequiredService<Maintenance>().ClearAsync(CancellationToken.None);
        Assert.That(await TrueAsync($"SELECT EXISTS (SELECT FROM message_keys WHERE conversation_id = '{id}')"), Is.True);
        Assert.That(await TrueAsync("SELECT EXISTS (SELECT FROM login_failures WHERE username = 'anna')"), Is.True);
        Assert.That(await TrueAsync("SELECT to_regclass('feed_' || to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM_DD')) IS NOT NULL"), Is.True);
    }

    [Test]
    public async Task A_file_that_was_just_uploaded_is_kept()
    {
        var id = await GroupAsync();
        await ExecuteAsync($"""
            INSERT INTO attachments
                (id, conversation_id, uploader_id, file_name, content_type, category, size, scan, files, secret, is_stored, created_at)
            SELECT gen_random_uuid(), '{id}', 'ben', 'a.txt', 'text/plain', 'document', 1, 'skipped', '[]', gen_random_uuid(), true, now()
            """);

        await api.Services.GetRequiredService<FileKeeping>().CollectAsync(CancellationToken.None);
        Assert.That(await TrueAsync($"SELECT EXISTS (SELECT FROM attachments WHERE conversation_id = '{id}')"), Is.True);
    }

    [Test]
    public async Task A_conversation_in_which_was_spoken_today_is_not_closed()
    {
        var id = await GroupAsync(context: new { type = "order", id = Guid.NewGuid().ToString() });
        await MakeAsAnotherNodeAsync(id);
        await SendAsync("ben", id);

        await api.Services.GetRequiredService<QuietConversations>().CloseAsync(CancellationToken.None);
        Assert.That(await TrueAsync($"SELECT closed_at IS NULL FROM conversations WHERE id = '{id}'"), Is.True);
    }

    private async Task<string> GroupAsync(object? policy = null, object? context = null)
    {
        foreach (var user in (string[])["anna", "ben"])
        {
            using var me = await Client(user).GetAsync("/v1/me");
            me.EnsureSuccessStatusCode();
        }
        using var made = await api.ServiceClient("anna").PostAsJsonAsync(
            "/v1/conversations", new { name = "Team", participantIds = (string[])["ben"], policy, context });
        Assert.That(made.StatusCode, Is.EqualTo(HttpStatusCode.Created), await made.Content.ReadAsStringAsync());
        return (await made.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString()!;
    }

    // A node whose clock is right.
    private Task MakeAsAnotherNodeAsync(string id) => ExecuteAsync(
        $"UPDATE conversations SET created_at = now(), updated_at = now(), last_event_at = now(), last_activity_at = now() "
            + $"WHERE id = '{id}'");

    private async Task<string> SendAsync(string user, string conversation, string? key = null)
    {
        using var sent = await Client(user)
            .PostAsJsonAsync($"/v1/conversations/{conversation}/messages", new { text = "hello", clientMessageId = key });
        Assert.That(sent.StatusCode, Is.EqualTo(HttpStatusCode.Created), await sent.Content.ReadAsStringAsync());
        return (await sent.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString()!;
    }

    // Good for longer than the node is ahead, so that what is shown is not the token's end.
    private HttpClient Client(string user) => api.ClientWithToken(ApiHost.Token(user, TimeSpan.FromDays(90)));

    private async Task ExecuteAsync(string sql)
    {
        await using var command = api.Database.DataSource.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private async Task<bool> TrueAsync(string sql)
    {
        await using var command = api.Database.DataSource.CreateCommand(sql);
        return await command.ExecuteScalarAsync() is true;
    }

    private sealed class TwoMonthsAhead : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddDays(61);
    }
}
