using Messaging.Api.Tests.Realtime;
using Messaging.Testing;

namespace Messaging.Api.Tests.Surface;

/// <summary>Text goes out as it is, in UTF-8, by whatever way: escaped, an emoji would be three times as long.</summary>
public sealed class WireTextTests : HubFixture
{
    private const string Emoji = "one 😀 and 👩‍👩‍👧";

    [Test]
    public async Task A_page_carries_emoji_as_they_are()
    {
        var (ada, group) = await PlaceAsync();
        await SendAsync(ada, group, Emoji);

        var page = await Api.ClientFor(ada).GetStringAsync($"/v1/conversations/{group}/messages");

        Assert.That(page, Does.Contain($"\"text\":\"{Emoji}\""));
    }

    [Test]
    public async Task An_answer_of_the_hub_carries_emoji_as_they_are()
    {
        var (ada, group) = await PlaceAsync();
        await using var phone = await ConnectAsync(ada);

        var sent = await phone.SendMessageAsync(group, new { text = Emoji });

        Assert.That(sent.GetRawText(), Does.Contain($"\"text\":\"{Emoji}\""));
    }

    [Test]
    public async Task An_event_carries_emoji_as_they_are()
    {
        var (ada, group) = await PlaceAsync();
        await using var phone = await ConnectAsync(ada);

        await SendAsync(ada, group, Emoji);

        var heard = await phone.UntilAsync(e => e.GetRawText().Contains("\"one ", StringComparison.Ordinal));
        Assert.That(heard[^1].GetRawText(), Does.Contain($"\"text\":\"{Emoji}\""));
    }

    [Test]
    public async Task A_replayed_event_of_which_something_was_deleted_carries_emoji_as_they_are()
    {
        var (ada, group) = await PlaceAsync();
        var cursor = await CursorAsync(ada);
        var first = (await SendAsync(ada, group)).GetProperty("id").GetString();
        await PostAsync(ada, $"/v1/conversations/{group}/messages", new { text = Emoji, replyToId = first });
        (await Api.ClientFor(ada).DeleteAsync($"/v1/conversations/{group}/messages/{first}")).EnsureSuccessStatusCode();
        await Api.Database.DrainedAsync();

        Assert.That((await SyncAsync(ada, cursor)).GetRawText(), Does.Contain($"\"text\":\"{Emoji}\""));
    }

    private async Task<(string Ada, string Group)> PlaceAsync()
    {
        var ada = await UserAsync();
        return (ada, await GroupAsync(ada, await UserAsync()));
    }
}
