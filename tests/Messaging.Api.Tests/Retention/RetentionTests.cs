using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Messaging.Infrastructure.Retention;
using Messaging.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Api.Tests.Retention;

/// <summary>Conversations whose time is over.</summary>
public sealed class RetentionTests
{
    private ApiHost api = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => api = await ApiHost.StartAsync();

    [OneTimeTearDown]
    public async Task StopAsync() => await api.DisposeAsync();

    [Test]
    public async Task A_conversation_with_a_context_is_closed_after_a_quiet_month()
    {
        var (with, without, lively) = (await OpenAsync("with", "7"), await OpenAsync("without", null), await OpenAsync("lively", "8"));
        await ScalarAsync(
            $"UPDATE conversations SET last_activity_at = now() - interval '31 days' WHERE id IN ('{with}', '{without}') RETURNING 1");

        await api.Services.GetRequiredService<QuietConversations>().CloseAsync(CancellationToken.None);

        Assert.That(await ReasonAsync(with), Is.EqualTo("inactive"));
        Assert.That(await ReasonAsync(without), Is.Null);
        Assert.That(await ReasonAsync(lively), Is.Null);
    }

    [Test]
    public async Task Nothing_is_left_of_what_was_deleted_for_everyone()
    {
        var id = await OpenAsync("deleted", null);
        for (var i = 0; i < 3; i++)
            (await api.ClientFor("deleted").PostAsJsonAsync($"/v1/conversations/{id}/messages", new { text = "words" }))
                .EnsureSuccessStatusCode();
        var page = await api.ClientFor("deleted-other").GetFromJsonAsync<JsonObject>($"/v1/conversations/{id}/messages");
        (await api.ClientFor("deleted").PutAsync($"/v1/conversations/{id}/messages/{page!["items"]![0]!["id"]}/reactions/👍", content: null))
            .EnsureSuccessStatusCode();
        (await api.ServiceClient().DeleteAsync($"/v1/conversations/{id}?scope=everyone")).EnsureSuccessStatusCode();

        await api.Services.GetRequiredService<Purges>().PurgeAsync(CancellationToken.None);

        foreach (var table in new[] { "messages", "read_marks", "delivered_marks", "reactions", "reaction_counts", "purges" })
            Assert.That(await ScalarAsync($"SELECT count(*) FROM {table} WHERE conversation_id = '{id}'"), Is.Zero, table);
    }

    private async Task<string> OpenAsync(string opener, string? about)
    {
        foreach (var user in new[] { opener, $"{opener}-other" })
            (await api.ClientFor(user).GetAsync("/v1/me")).EnsureSuccessStatusCode();
        var answer = await api.ClientFor(opener).PostAsJsonAsync(
            "/v1/conversations/direct",
            new { userId = $"{opener}-other", context = about is null ? null : new { type = "shipment", id = about },
                message = new { text = "hello" } });
        return (await answer.Content.ReadFromJsonAsync<JsonObject>())!["id"]!.GetValue<string>();
    }

    private async Task<object?> ScalarAsync(string sql)
    {
        await using var command = api.Database.DataSource.CreateCommand(sql);
        return await command.ExecuteScalarAsync();
    }

    private async Task<string?> ReasonAsync(string id) =>
        (await api.ServiceClient().GetFromJsonAsync<JsonObject>($"/v1/conversations/{id}"))!["closed"]?["reason"]?.GetValue<string>();
}
