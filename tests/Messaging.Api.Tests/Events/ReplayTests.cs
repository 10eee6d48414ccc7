using System.Net.Http.Json;

namespace Messaging.Api.Tests.Events;

/// <summary>Old state plus the new events equals a fresh fetch, for every command and for every participant.</summary>
public sealed class ReplayTests : ReplayFixture
{
    [Test]
    public async Task A_direct_conversation_that_is_opened() =>
        await ReplayAsync((users, _) => PostAsync(users[0], "/v1/conversations/direct", new { userId = users[3] }));

    [Test]
    public async Task A_direct_conversation_that_is_opened_with_a_message() =>
        await ReplayAsync(
            (users, _) => PostAsync(users[0], "/v1/conversations/direct", new { userId = users[3], message = new { text = "hi" } }));

    [Test]
    public async Task A_group_that_is_created() =>
        await ReplayAsync(
            (users, _) => PostAsync(users[0], "/v1/conversations", new { name = "New", participantIds = new[] { users[1], users[3] } }));

    [Test]
    public async Task People_who_are_added() =>
        await ReplayAsync(
            (users, group) => PostAsync(users[0], $"/v1/conversations/{group}/participants", new { userIds = new[] { users[3] } }));

    [Test]
    public async Task Two_who_are_added_at_once_to_more_than_ten() => await ReplayAsync(async (users, group) =>
    {
        var others = Enumerable.Range(0, 10).Select(i => $"z-{Guid.NewGuid():N}").ToArray();
        (await Api.ServiceClient().PutAsJsonAsync("/v1/users", new { users = others.Select(id => new { userId = id }) }))
            .EnsureSuccessStatusCode();

        foreach (var added in new[] { others[1..], [users[3], others[0]] })
            (await Api.ServiceClient().PostAsJsonAsync($"/v1/conversations/{group}/participants", new { userIds = added }))
                .EnsureSuccessStatusCode();
    });

    [Test]
    public async Task Somebody_who_comes_back_to_a_group_with_settings_of_before() => await ReplayAsync(async (users, group) =>
    {
        await CallAsync(
            users[1], HttpMethod.Patch, $"/v1/conversations/{group}/settings", """{"starred":true,"draft":"more","colorTag":"red"}""");
        await CallAsync(users[0], HttpMethod.Delete, $"/v1/conversations/{group}/participants/{users[1]}");
        await PostAsync(users[0], $"/v1/conversations/{group}/participants", new { userIds = new[] { users[1] } });
    });

    [Test]
    public async Task A_message_with_mentions() =>
        await ReplayAsync((users, group) => SendAsync(users[1], group, new { text = "hi", mentions = new[] { users[0], users[2] } }));

    [Test]
    public async Task A_system_message() => await ReplayAsync(async (_, group) =>
        (await Api.ServiceClient().PostAsJsonAsync($"/v1/conversations/{group}/messages", new { type = "system", text = "note" }))
            .EnsureSuccessStatusCode());

    [Test]
    public async Task A_message_that_is_edited_and_mentions_others() => await ReplayAsync(async (users, group) =>
    {
        var first = await SentAsync(users[0], group, new { text = "one", mentions = new[] { users[2] } });
        await CallAsync(users[0], HttpMethod.Patch, $"/v1/conversations/{group}/messages/{first}", $$"""{"mentions":["{{users[1]}}"]}""");
        var last = await SentAsync(users[0], group, new { text = "two" });
        await CallAsync(
            users[0], HttpMethod.Patch, $"/v1/conversations/{group}/messages/{last}", """{"text":"three","mentions":["@all"]}""");
    });

    [Test]
    public async Task Messages_that_are_deleted_unread_and_read() => await ReplayAsync(async (users, group) =>
    {
        var first = await SentAsync(users[0], group, new { text = "one", mentions = new[] { users[1] } });
        await PostAsync(users[2], $"/v1/conversations/{group}/read", new { });
        var second = await SentAsync(users[1], group, new { text = "two", mentions = new[] { "@all" } });
        foreach (var message in new[] { first, second })
            await CallAsync(users[0], HttpMethod.Delete, $"/v1/conversations/{group}/messages/{message}");
    });

    [Test]
    public async Task Messages_that_are_deleted_for_oneself() => await ReplayAsync(async (users, group) =>
    {
        var first = await SentAsync(users[0], group, new { text = "one", mentions = new[] { users[1] } });
        var second = await SentAsync(users[2], group, new { text = "two" });
        foreach (var message in new[] { first, second })
            await CallAsync(users[1], HttpMethod.Delete, $"/v1/conversations/{group}/messages/{message}?scope=me");
        await CallAsync(users[0], HttpMethod.Patch, $"/v1/conversations/{group}/messages/{first}", """{"text":"three"}""");
        await CallAsync(users[0], HttpMethod.Delete, $"/v1/conversations/{group}/messages/{first}");
    });

    [Test]
    public async Task Messages_that_are_deleted_while_they_are_read() => await ReplayAsync(async (users, group) =>
    {
        var messages = new List<string>();
        for (var i = 0; i < 20; i++)
            messages.Add(await SentAsync(users[i % 2], group, new { text = "hi", mentions = new[] { users[2] } }));
        await Task.WhenAll(messages.Select((message, i) => Task.Run(async () =>
        {
            if (i % 3 == 0)
                await PostAsync(users[2], $"/v1/conversations/{group}/read", new { seq = i });
            await CallAsync(users[0], HttpMethod.Delete, $"/v1/conversations/{group}/messages/{message}{(i % 5 == 0 ? "?scope=me" : "")}");
        })));
    });

    [Test]
    public async Task A_message_that_is_pinned_and_reported() => await ReplayAsync(async (users, group) =>
    {
        var message = await SentAsync(users[1], group, new { text = "one" });
        await CallAsync(users[0], HttpMethod.Put, $"/v1/conversations/{group}/messages/{message}/pin");
        await CallAsync(users[2], HttpMethod.Post, $"/v1/conversations/{group}/messages/{message}/report", """{"reason":"spam"}""");
        await CallAsync(users[0], HttpMethod.Delete, $"/v1/conversations/{group}/messages/{message}/pin");
    });

    [Test]
    public async Task A_pointer_that_moves() =>
        await ReplayAsync((users, group) => PostAsync(users[2], $"/v1/conversations/{group}/read", new { seq = 2 }));

    [TestCase("read", 2)]
    [TestCase("delivered", 2)]
    [TestCase("unread", 2)]
    public async Task Each_pointer(string pointer, long seq) =>
        await ReplayAsync((users, group) => PostAsync(users[2], $"/v1/conversations/{group}/{pointer}", new { seq }));

    [Test]
    public async Task A_pointer_that_moves_back_over_ones_own_message() => await ReplayAsync(async (users, group) =>
    {
        await SendAsync(users[2], group, new { text = "mine" });
        await SendAsync(users[0], group, new { text = "yours" });
        await PostAsync(users[2], $"/v1/conversations/{group}/unread", new { seq = 2 });
        await PostAsync(users[2], $"/v1/conversations/{group}/read", new { seq = 3 });
    });

    [TestCase("""{"starred":true,"colorTag":"red","draft":"to be"}""")]
    [TestCase("""{"archived":true}""")]
    [TestCase("""{"mutedUntil":"9999-12-31T23:59:59Z"}""")]
    public async Task Settings_of_ones_own(string settings) =>
        await ReplayAsync((users, group) => CallAsync(users[1], HttpMethod.Patch, $"/v1/conversations/{group}/settings", settings));

    [Test]
    public async Task An_archived_conversation_that_comes_back() => await ReplayAsync(async (users, group) =>
    {
        await CallAsync(users[1], HttpMethod.Patch, $"/v1/conversations/{group}/settings", """{"archived":true}""");
        await SendAsync(users[0], group, new { text = "back" });
    });

    [TestCase("/history")]
    [TestCase("")]
    [TestCase("?scope=everyone")]
    public async Task A_history_that_goes(string what) =>
        await ReplayAsync((users, group) => CallAsync(users[0], HttpMethod.Delete, $"/v1/conversations/{group}{what}"));

    [Test]
    public async Task A_message_after_the_history_was_cleared() => await ReplayAsync(async (users, group) =>
    {
        await CallAsync(users[1], HttpMethod.Delete, $"/v1/conversations/{group}");
        await SendAsync(users[0], group, new { text = "back" });
    });

    [Test]
    public async Task A_group_that_says_something_else_of_itself() => await ReplayAsync((users, group) => CallAsync(
        users[0], HttpMethod.Patch, $"/v1/conversations/{group}",
        """{"name":"New","description":"About","metadata":{"a":1},"policy":{"posting":"admins","reactions":{"mode":"one"}}}"""));

    [TestCase("close", """{"reason":"manual"}""", "reopen")]
    [TestCase("archive", "{}", "unarchive")]
    public async Task A_state_and_back(string there, string body, string back)
    {
        await ReplayAsync((users, group) => CallAsync(users[0], HttpMethod.Post, $"/v1/conversations/{group}/{there}", body));
        await ReplayAsync(async (users, group) =>
        {
            await CallAsync(users[0], HttpMethod.Post, $"/v1/conversations/{group}/{there}", body);
            await CallAsync(users[0], HttpMethod.Post, $"/v1/conversations/{group}/{back}");
        });
    }

    [Test]
    public async Task Somebody_who_is_put_out() =>
        await ReplayAsync((users, group) => CallAsync(users[0], HttpMethod.Delete, $"/v1/conversations/{group}/participants/{users[1]}"));

    [Test]
    public async Task Somebody_who_is_banned() =>
        await ReplayAsync((users, group) => CallAsync(users[0], HttpMethod.Put, $"/v1/conversations/{group}/bans/{users[1]}"));

    [Test]
    public async Task An_owner_who_leaves() =>
        await ReplayAsync((users, group) => CallAsync(users[0], HttpMethod.Post, $"/v1/conversations/{group}/leave"));

    [Test]
    public async Task Somebody_who_leaves_and_comes_back() => await ReplayAsync(async (users, group) =>
    {
        await CallAsync(users[1], HttpMethod.Post, $"/v1/conversations/{group}/leave");
        await SendAsync(users[0], group, new { text = "meanwhile" });
        using var back = await Api.ServiceClient()
            .PostAsJsonAsync($"/v1/conversations/{group}/participants", new { userIds = new[] { users[1] } });
        back.EnsureSuccessStatusCode();
        await SendAsync(users[0], group, new { text = "welcome" });
    });

    [Test]
    public async Task Somebody_who_marks_as_unread_and_then_writes() => await ReplayAsync(async (users, group) =>
    {
        foreach (var text in (string[])["one", "two", "three"])
            await SendAsync(users[0], group, new { text });
        await PostAsync(users[1], $"/v1/conversations/{group}/read", new { });
        await PostAsync(users[1], $"/v1/conversations/{group}/unread", new { seq = 2 });
        await SendAsync(users[1], group, new { text = "four" });
    });

    [Test]
    public async Task Roles_that_change() => await ReplayAsync(async (users, group) =>
    {
        await CallAsync(users[0], HttpMethod.Patch, $"/v1/conversations/{group}/participants/{users[1]}", """{"role":"admin"}""");
        await PostAsync(users[0], $"/v1/conversations/{group}/owner", new { userId = users[2] });
    });

    [Test]
    public async Task A_page_that_is_fetched() =>
        await ReplayAsync((users, group) => CallAsync(users[2], HttpMethod.Get, $"/v1/conversations/{group}/messages"));

    [Test]
    public async Task Somebody_who_reads_without_telling() => await ReplayAsync(async (users, group) =>
    {
        await PostAsync(users[1], $"/v1/conversations/{group}/delivered", new { seq = 1 });
        await PostAsync(users[1], $"/v1/conversations/{group}/read", new { seq = 3 });
        await SendAsync(users[1], group, new { text = "seen" });
    }, hides: true);

    [Test]
    public async Task A_reaction_that_is_put_and_taken_away() => await ReplayAsync(async (users, group) =>
    {
        var message = (await SendAsync(users[0], group, new { text = "hi" }))["id"]!.GetValue<string>();
        await CallAsync(users[1], HttpMethod.Put, $"/v1/conversations/{group}/messages/{message}/reactions/👍");
        await CallAsync(users[2], HttpMethod.Put, $"/v1/conversations/{group}/messages/{message}/reactions/👍");
        await CallAsync(users[1], HttpMethod.Delete, $"/v1/conversations/{group}/messages/{message}/reactions/👍");
    });

    [Test]
    public async Task Everything_at_once()
    {
        await ReplayAsync((users, group) => Task.WhenAll(Enumerable.Range(0, 200).Select(i => Task.Run(() => (i % 5) switch
        {
            0 or 1 => SendAsync(users[i % 3], group, new { text = $"message {i}", mentions = new[] { users[(i + 1) % 3] } }),
            2 => PostAsync(users[i % 3], $"/v1/conversations/{group}/read", new { }),
            3 => PostAsync(users[i % 3], $"/v1/conversations/{group}/read", new { seq = i / 4 }),
            _ => PostAsync(
                users[i % 4], "/v1/conversations/direct", new { userId = users[(i + 1) % 4], message = new { text = $"direct {i}" } }),
        }))));
    }
}
