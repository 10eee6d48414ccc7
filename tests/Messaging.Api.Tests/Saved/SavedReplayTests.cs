using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Messaging.Testing;

namespace Messaging.Api.Tests.Saved;

/// <summary>Old state plus the new events equals a fresh fetch: the inbox, and what one has saved.</summary>
public sealed class SavedReplayTests : ReplayFixture
{
    [Test]
    public async Task Messages_that_are_saved_and_taken_out() => await ReplaySavedAsync(async (users, group, messages) =>
    {
        foreach (var message in messages)
            await CallAsync(users[1], HttpMethod.Put, Saved(group, message));
        await CallAsync(users[1], HttpMethod.Delete, Saved(group, messages[1]));
        await CallAsync(users[2], HttpMethod.Put, Saved(group, await SentAsync(users[0], group, new { text = "new" })));
    });

    [Test]
    public async Task Messages_that_are_deleted_saved_by_some() => await ReplaySavedAsync(async (users, group, messages) =>
    {
        foreach (var user in users[..3])
            await CallAsync(user, HttpMethod.Put, Saved(group, messages[0]));
        await CallAsync(users[1], HttpMethod.Put, Saved(group, messages[1]));
        await CallAsync(users[0], HttpMethod.Delete, $"/v1/conversations/{group}/messages/{messages[0]}");
        await CallAsync(users[1], HttpMethod.Delete, $"/v1/conversations/{group}/messages/{messages[1]}?scope=me");
    });

    [Test]
    public async Task Saving_by_three_at_once() => await ReplaySavedAsync((users, group, messages) => Task.WhenAll(
        Enumerable.Range(0, 60).Select(i => Task.Run(() => CallAsync(
            users[i % 3], i % 4 == 3 ? HttpMethod.Delete : HttpMethod.Put, Saved(group, messages[i / 3 % messages.Count]))))));

    private Task ReplaySavedAsync(Func<string[], string, IReadOnlyList<string>, Task> command) => ReplayAsync(async (users, group) =>
    {
        var messages = new List<string>();
        for (var i = 0; i < 4; i++)
            messages.Add(await SentAsync(users[i % 3], group, new { text = $"message {i}" }));
        await CallAsync(users[0], HttpMethod.Put, Saved(group, messages[0]));
        await Api.Database.DrainedAsync();
        var models = await Task.WhenAll(users[..3].Select(async user => (
            User: user, Cursor: (await Api.ClientFor(user).GetFromJsonAsync<JsonObject>("/v1/sync"))!["cursor"]!.GetValue<string>(),
            Model: await ModelAsync(user, group))));

        await command(users, group, messages);

        await Api.Database.DrainedAsync();
        foreach (var (user, cursor, model) in models)
        {
            var page = (await Api.ClientFor(user).GetFromJsonAsync<JsonObject>($"/v1/sync?since={cursor}"))!;
            foreach (var envelope in page["events"]!.AsArray())
                model.Apply(envelope!.AsObject());
            var listed = (await Api.ClientFor(user).GetFromJsonAsync<JsonObject>("/v1/saved"))!["items"]!.AsArray();
            Assert.That(model.Saved, Is.EqualTo((await ModelAsync(user, group)).Saved));
            Assert.That(model.Saved, Is.EquivalentTo(listed.Select(item => item!["message"]!["id"]!.GetValue<string>())));
        }
    });

    private async Task<SavedModel> ModelAsync(string user, string group) =>
        new((await Api.ClientFor(user).GetFromJsonAsync<JsonObject>($"/v1/conversations/{group}/messages"))!["items"]!.AsArray());

    private static string Saved(string group, string message) => $"/v1/conversations/{group}/messages/{message}/saved";
}
