using System.Net.Http.Json;
using System.Text.Json;
using Messaging.Api.Tests.Realtime;
using Messaging.Testing;

namespace Messaging.Api.Tests.Events;

/// <summary>What an event tells is what is so when it is told.</summary>
public sealed class ToldTests : HubFixture
{
    private const int Rounds = 60;

    [Test]
    public async Task The_words_of_a_deleted_message_are_never_heard_after_its_deletion_in_a_reply_beside_it_either()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        await using var phone = await ConnectAsync(bob);

        var words = await RepliesBesideDeletionsAsync(ada, bob, group);
        await SendAsync(ada, group, "the end");

        var heard = await phone.UntilAsync(e => IsNew(e) && e.GetProperty("data").GetProperty("text").GetString() == "the end");
        Assert.That(heard.Count(e => Type(e) == "message:deleted"), Is.EqualTo(Rounds));
        Assert.That(HeardAfterDeletion(heard, words), Is.Empty);
    }

    [Test]
    public async Task Who_resumes_hears_no_words_of_messages_that_are_deleted_by_then()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        var cursor = await CursorAsync(bob);
        var words = await RepliesBesideDeletionsAsync(ada, bob, group);
        await Api.Database.DrainedAsync();
        await using var phone = await ConnectAsync(bob);

        var resumed = new List<JsonElement>();
        await foreach (var envelope in phone.ResumeAsync(cursor))
            resumed.Add(envelope);
        var synced = await AllAsync(bob, cursor);

        foreach (var events in new[] { resumed, synced })
        {
            Assert.That(events.Count(IsNew), Is.EqualTo(2 * Rounds));
            Assert.That(events.Where(e => words.Values.Any(e.GetRawText().Contains)), Is.Empty);
        }
    }

    [Test]
    public async Task A_message_is_told_in_the_version_that_its_words_are_of()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        await using var phone = await ConnectAsync(bob);
        var path = await SaidAsync(ada, group, new { text = "1" });
        for (var version = 2; version <= 30; version++)
            await PatchAsync(ada, path, new { text = $"{version}" });

        var heard = await phone.UntilAsync(e => Type(e) == "message:edited" && Version(e) == 30);

        // The note that the group was made may come after the phone.
        var told = heard.Where(e => (IsNew(e) || Type(e) == "message:edited") && e.GetProperty("seq").GetInt64() > 1);
        Assert.That(told.Where(e => Text(e) != $"{Version(e)}"), Is.Empty);
    }

    [Test]
    public async Task A_message_that_is_told_again_is_the_message_of_now_with_its_version()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var group = await GroupAsync(ada, bob);
        var cursor = await CursorAsync(bob);
        var path = await SaidAsync(ada, group, new { text = "one" });
        await PatchAsync(ada, path, new { text = "two" });

        var edited = await AllAsync(bob, cursor);
        (await Api.ClientFor(ada).DeleteAsync(path)).EnsureSuccessStatusCode();
        var deleted = await AllAsync(bob, cursor);

        Assert.That(edited.Where(IsOfMessage).Select(Words), Is.EqualTo((string[])["message:new 2 two", "message:edited 2 two"]));
        Assert.That(deleted.Where(IsOfMessage).Select(Words),
            Is.EqualTo((string[])["message:new 3 gone", "message:edited 3 gone", "message:deleted 3 gone"]));
    }

    [Test]
    public async Task A_profile_that_is_told_again_is_that_of_now()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        await PatchAsync(ada, "/v1/me", new { displayName = "Wombat" });
        var cursor = await CursorAsync(bob);
        var group = await GroupAsync(ada, bob);
        await SendAsync(ada, group);
        await PostAsync(ada, "/v1/contacts", new { userId = bob });
        await PatchAsync(ada, "/v1/me", new { displayName = "Koala" });

        var told = string.Concat((await AllAsync(bob, cursor)).Select(e => e.GetRawText()));

        Assert.That(told, Does.Contain("conversation:created").And.Contain("message:new").And.Contain("contact:requested"));
        Assert.That(told, Does.Contain("Koala").And.Not.Contain("Wombat"));
    }

    [Test]
    public async Task A_conversation_that_is_told_again_says_of_itself_what_it_says_now_and_counts_from_where_it_was()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        var cursor = await CursorAsync(bob);
        var group = await GroupAsync(ada, bob);
        await SendAsync(ada, group);
        await PatchAsync(ada, $"/v1/conversations/{group}", new { name = "Wombats" });
        await PatchAsync(ada, $"/v1/conversations/{group}", new { name = "Koalas" });

        var told = (await AllAsync(bob, cursor)).Where(e => Type(e).StartsWith("conversation:", StringComparison.Ordinal)).ToList();

        Assert.That(
            told.Select(e => e.GetProperty("data").GetProperty("name").GetString()), Is.EqualTo((string[])["Koalas", "Koalas", "Koalas"]));
        Assert.That(told.Select(e => e.GetProperty("data").GetProperty("lastSeq").GetInt64()), Is.Ordered.Ascending.And.Unique);
    }

    /// <summary>
    /// Each message is deleted beside a reply that quotes it, one up to 10 ms before the other. Gives their words by their seq.
    /// </summary>
    private async Task<Dictionary<long, string>> RepliesBesideDeletionsAsync(string ada, string bob, string group)
    {
        var words = new Dictionary<long, string>();
        for (var round = 0; round < Rounds; round++)
        {
            var text = $"words-of-{round}.";
            var message = await SendAsync(ada, group, text);
            var (id, gap) = (message.GetProperty("id").GetString(), TimeSpan.FromMilliseconds((round % 21) - 10));
            words.Add(message.GetProperty("seq").GetInt64(), text);
            var replying = AfterAsync(
                gap, () => PostAsync(bob, $"/v1/conversations/{group}/messages", new { text = "re", replyToId = id }));
            using var deleted = await AfterAsync(-gap, () => Api.ClientFor(ada).DeleteAsync($"/v1/conversations/{group}/messages/{id}"));
            deleted.EnsureSuccessStatusCode();
            await replying;
        }
        return words;
    }

    // The gap is what is varied, nothing is waited for.
    private static async Task<T> AfterAsync<T>(TimeSpan gap, Func<Task<T>> call)
    {
        if (gap > TimeSpan.Zero)
            await Task.Delay(gap);
        return await call();
    }

    private static IEnumerable<string> HeardAfterDeletion(IEnumerable<JsonElement> heard, Dictionary<long, string> words)
    {
        var gone = new List<string>();
        foreach (var envelope in heard)
        {
            if (Type(envelope) == "message:deleted")
                gone.Add(words[envelope.GetProperty("seq").GetInt64()]);
            foreach (var text in gone.Where(envelope.GetRawText().Contains))
                yield return $"{text} in {envelope.GetRawText()}";
        }
    }

    private async Task<List<JsonElement>> AllAsync(string user, string cursor)
    {
        await Api.Database.DrainedAsync();
        var all = new List<JsonElement>();
        for (var hasMore = true; hasMore;)
        {
            var page = await SyncAsync(user, $"{cursor}&limit=100");
            all.AddRange(page.GetProperty("events").EnumerateArray());
            (cursor, hasMore) = (page.GetProperty("cursor").GetString()!, page.GetProperty("hasMore").GetBoolean());
        }
        return all;
    }

    private async Task<string> SaidAsync(string user, string group, object message)
    {
        var path = $"/v1/conversations/{group}/messages";
        return $"{path}/{(await PostAsync(user, path, message)).GetProperty("id").GetString()}";
    }

    private async Task PatchAsync(string user, string path, object body)
    {
        using var answer = await Api.ClientFor(user).PatchAsJsonAsync(path, body);
        Assert.That(answer.IsSuccessStatusCode, Is.True, await answer.Content.ReadAsStringAsync());
    }

    private static string Type(JsonElement envelope) => envelope.GetProperty("type").GetString()!;

    private static bool IsNew(JsonElement envelope) => Type(envelope) == "message:new";

    private static bool IsOfMessage(JsonElement envelope) => Type(envelope).StartsWith("message:", StringComparison.Ordinal);

    private static long Version(JsonElement envelope) => envelope.GetProperty("data").GetProperty("version").GetInt64();

    private static string Words(JsonElement envelope) =>
        $"{Type(envelope)} {Version(envelope)} "
            + $"{(envelope.GetProperty("data").GetProperty("deleted").ValueKind is JsonValueKind.Object ? "gone" : Text(envelope))}";
}
