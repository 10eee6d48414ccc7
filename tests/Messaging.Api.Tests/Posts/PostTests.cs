using System.Net.Http.Json;
using System.Text.Json;
using Messaging.Testing;
using Npgsql;

namespace Messaging.Api.Tests.Posts;

public sealed class PostTests : PostFixture
{
    [Test]
    public async Task A_post_is_a_message_once_its_transaction_commits()
    {
        var (ada, _, group) = await PeopleAsync();
        await using var host = await Api.Database.DataSource.OpenConnectionAsync();
        await using var transaction = await host.BeginTransactionAsync();
        var post = await CallAsync(host, ada, group, "Order 4711 was shipped");
        var before = await TextsAsync(group);
        await transaction.CommitAsync();

        Assert.That(await OutcomeAsync(post), Is.EqualTo("sent"));
        Assert.That(before, Is.Empty);
        Assert.That(await TextsAsync(group), Is.EqualTo((string[])["Order 4711 was shipped"]));
    }

    [Test]
    public async Task A_post_that_is_rolled_back_is_no_message()
    {
        var (ada, _, group) = await PeopleAsync();
        await using var host = await Api.Database.DataSource.OpenConnectionAsync();
        await using (var transaction = await host.BeginTransactionAsync())
            await CallAsync(host, ada, group, "never");

        await OutcomeAsync(await CallAsync(ada, group, "after"));

        Assert.That(await TextsAsync(group), Is.EqualTo((string[])["after"]));
    }

    [Test]
    public async Task Posts_of_a_conversation_are_sent_in_their_order()
    {
        var (ada, bob, group) = await PeopleAsync();
        await using var host = await Api.Database.DataSource.OpenConnectionAsync();
        await using var transaction = await host.BeginTransactionAsync();
        Guid last = default;
        for (var i = 0; i < 250; i++)
            last = await CallAsync(host, i % 2 == 0 ? ada : bob, group, $"{i}");
        await transaction.CommitAsync();

        await OutcomeAsync(last);

        Assert.That(await TextsAsync(group), Is.EqualTo(Enumerable.Range(0, 250).Select(i => $"{i}")));
    }

    [Test]
    public async Task A_transaction_that_stays_open_holds_up_nobody_and_is_sent_when_it_commits()
    {
        var (ada, bob, group) = await PeopleAsync();
        await using var slow = await Api.Database.DataSource.OpenConnectionAsync();
        await using var transaction = await slow.BeginTransactionAsync();
        var early = await CallAsync(slow, ada, group, "early");

        var late = await OutcomeAsync(await CallAsync(bob, group, "late"));
        await transaction.CommitAsync();

        Assert.That((late, await OutcomeAsync(early)), Is.EqualTo(("sent", "sent")));
        Assert.That(await TextsAsync(group), Is.EqualTo((string[])["late", "early"]));
    }

    // More than are read at once.
    [Test]
    public async Task A_transaction_that_was_open_for_long_may_have_posted_much()
    {
        var (ada, _, group) = await PeopleAsync();
        await using var slow = await Api.Database.DataSource.OpenConnectionAsync();
        await using var transaction = await slow.BeginTransactionAsync();
        var posts = new List<Guid>();
        for (var i = 0; i < 450; i++)
            posts.Add(await CallAsync(slow, ada, group, $"{i}"));
        await OutcomeAsync(await CallAsync(ada, group, "late"));
        await transaction.CommitAsync();

        await OutcomeAsync(posts[^1]);

        Assert.That(await TextsAsync(group), Is.EqualTo(Enumerable.Range(0, 450).Select(i => $"{i}").Prepend("late")));
    }

    [Test]
    public async Task Two_users_need_no_conversation_yet()
    {
        var (ada, bob) = (await UserAsync(), await UserAsync());
        await using var host = await Api.Database.DataSource.OpenConnectionAsync();
        const string sql =
            """
            SELECT messaging.post(jsonb_build_object('text', @Text::text), @Sender, recipient_id => @Recipient,
                context => '{"type": "order", "id": "4711"}')
            """;
        await CallAsync(host, sql, ("Sender", ada), ("Recipient", bob), ("Text", "shipped"));
        var last = await CallAsync(host, sql, ("Sender", bob), ("Recipient", ada), ("Text", "thank you"));

        Assert.That(await OutcomeAsync(last), Is.EqualTo("sent"));
        var opened = await Api.ServiceClient(ada).PostAsJsonAsync(
            "/v1/conversations/direct", new { userId = bob, context = new { type = "order", id = "4711" } });
        var id = (await opened.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString()!;
        Assert.That(await TextsAsync(id), Is.EqualTo((string[])["shipped", "thank you"]));
    }

    [Test]
    public async Task The_service_posts_system_messages()
    {
        var (_, _, group) = await PeopleAsync();
        await using var host = await Api.Database.DataSource.OpenConnectionAsync();

        var post = await CallAsync(
            host, """SELECT messaging.post('{"type": "system", "text": "Down at 9"}', conversation_id => @Group::uuid)""",
            ("Group", group));

        Assert.That(await OutcomeAsync(post), Is.EqualTo("sent"));
        Assert.That(await TextsAsync(group), Is.EqualTo((string[])["Down at 9"]));
    }

    [Test]
    public async Task A_message_is_found_by_its_post()
    {
        var (ada, _, group) = await PeopleAsync();

        var post = await CallAsync(ada, group);
        await OutcomeAsync(post);

        var ids = await Api.Database.RowsAsync($"SELECT message_id FROM messaging.posts WHERE id = '{post}'", row => row.GetGuid(0));
        var message = await Api.ClientFor(ada).GetFromJsonAsync<JsonElement>($"/v1/conversations/{group}/messages/{ids.Single()}");
        Assert.That(message.GetProperty("clientMessageId").GetGuid(), Is.EqualTo(post));
    }

    [Test]
    public async Task Nothing_of_a_message_stays_in_its_post()
    {
        var (ada, _, group) = await PeopleAsync();

        var post = await CallAsync(ada, group, "for the conversation alone");
        await OutcomeAsync(post);

        var kept = await Api.Database.RowsAsync($"SELECT host_posts::text FROM host_posts WHERE id = '{post}'", row => row.GetString(0));
        Assert.That(kept, Has.One.Items.And.None.Contains("for the conversation alone"));
    }

    [TestCase("@Stranger, @Group::uuid", "not-found")]
    [TestCase("'nobody', @Group::uuid", "not-found")]
    [TestCase("@Ada, '01a1f94b-bacb-7e70-babe-e21306d1cf34'", "not-found")]
    [TestCase("@Ada, recipient_id => 'nobody'", "invalid-request recipient_id")]
    [TestCase("'nobody', recipient_id => @Ada", "invalid-request sender_id")]
    [TestCase("@Ada, recipient_id => @Ada", "invalid-request recipient_id")]
    [TestCase("@Ada, recipient_id => @Bob", "blocked recipient_id")]
    [TestCase("@Ada, @Closed::uuid", "conversation-closed")]
    [TestCase("@Ada, @Group::uuid", "invalid-request message/text", "repeat('x', 10001)")]
    [TestCase("@Ada, recipient_id => @Stranger", "invalid-request message/text", "repeat('x', 10001)")]
    [TestCase("@Ada, @Group::uuid", "invalid-request message/mentions/1", "'hello', 'mentions', ARRAY['a', 'b c']")]
    [TestCase("@Ada, @Group::uuid", "invalid-request message/replyToId", "'hello', 'replyToId', 'none'")]
    [TestCase("@Ada, recipient_id => @Stranger, context => '{\"type\": null, \"id\": null}'", "invalid-request context/id")]
    public async Task A_post_is_refused_by_the_rules_of_any_message(string to, string refusal, string text = "'hello'")
    {
        var (ada, bob, group) = await PeopleAsync();
        var closed = await GroupAsync(ada, bob);
        await PostAsync(ada, $"/v1/conversations/{closed}/close", new { reason = "manual" });
        (await Api.ClientFor(bob).PutAsync($"/v1/blocks/{ada}", content: null)).EnsureSuccessStatusCode();
        await using var host = await Api.Database.DataSource.OpenConnectionAsync();

        var post = await CallAsync(
            host, $"SELECT messaging.post(jsonb_build_object('text', {text}), {to})",
            ("Ada", ada), ("Bob", bob), ("Stranger", await UserAsync()), ("Group", group), ("Closed", closed));

        Assert.That(await OutcomeAsync(post), Is.EqualTo(refusal));
    }

    [Test]
    public async Task Services_are_told_of_what_is_refused_and_users_are_not()
    {
        var (ada, _, group) = await PeopleAsync();
        var (service, user) = (await Api.ServiceClient().GetFromJsonAsync<JsonElement>("/v1/sync"), await CursorAsync(ada));
        var post = await CallAsync("nobody", group);
        await OutcomeAsync(post);
        await Api.Database.DrainedAsync();

        var page = await Api.ServiceClient().GetFromJsonAsync<JsonElement>($"/v1/sync?since={service.GetProperty("cursor").GetString()}");

        var data = ToldOf(post, page)!.Value.GetProperty("data");
        var told = new[] { "code", "senderId", "conversationId" }.Select(member => data.GetProperty(member).GetString());
        Assert.That(told, Is.EqualTo((string[])["not-found", "nobody", group]));
        Assert.That(ToldOf(post, await SyncAsync(ada, user)), Is.Null);
    }

    [Test]
    public async Task A_post_that_fails_each_time_is_given_up_and_those_behind_it_are_sent()
    {
        var (ada, bob, group) = await PeopleAsync();
        await ExecuteAsync(
            $"""
            CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END';
            CREATE TRIGGER fail BEFORE INSERT ON messages FOR EACH ROW WHEN (new.text = 'poison') EXECUTE FUNCTION fail();
            """);

        var poison = await CallAsync(ada, group, "poison");
        var next = await CallAsync(bob, group, "next");

        Assert.That((await OutcomeAsync(poison), await OutcomeAsync(next)), Is.EqualTo(("internal", "sent")));
    }

    [Test]
    public async Task A_conversation_that_cannot_be_written_and_has_much_waiting_holds_up_no_other()
    {
        var (ada, bob, stuck) = await PeopleAsync();
        var group = await GroupAsync(ada, bob);
        await using var locker = await Api.Database.DataSource.OpenConnectionAsync();
        await using var locked = await locker.BeginTransactionAsync();
        await using (var command = new NpgsqlCommand($"SELECT FROM conversations WHERE id = '{stuck}' FOR UPDATE", locker))
            await command.ExecuteNonQueryAsync();
        await ExecuteAsync(
            $$"""SELECT messaging.post('{"text": "waiting"}', '{{ada}}', '{{stuck}}') FROM generate_series(1, 20100)""");

        Assert.That(await OutcomeAsync(await CallAsync(ada, group)), Is.EqualTo("sent"));
        await ExecuteAsync($"DELETE FROM host_posts WHERE conversation_id = '{stuck}' AND done_at IS NULL");
        await locked.RollbackAsync();
    }

    // As when the node dies between sending and recording.
    [Test]
    public async Task A_post_that_is_sent_but_not_recorded_stays_one_message()
    {
        var (ada, _, group) = await PeopleAsync();
        await ExecuteAsync(
            $"""
            CREATE SEQUENCE forbidden_tries;
            CREATE FUNCTION forbid() RETURNS trigger LANGUAGE plpgsql AS '
                BEGIN
                    IF new.sender_id = ''{ada}'' AND nextval(''forbidden_tries'') < 3 THEN RAISE EXCEPTION ''no''; END IF;
                    RETURN new;
                END';
            CREATE TRIGGER forbid BEFORE UPDATE ON host_posts FOR EACH ROW EXECUTE FUNCTION forbid();
            """);

        var post = await CallAsync(ada, group, "once");

        Assert.That(await OutcomeAsync(post), Is.EqualTo("sent"));
        Assert.That(await TextsAsync(group), Is.EqualTo((string[])["once"]));
    }

    [Test]
    public async Task Two_nodes_send_each_post_once_and_in_order()
    {
        var (ada, _, group) = await PeopleAsync();
        await using var another = Api.StartAnother();
        await using var host = await Api.Database.DataSource.OpenConnectionAsync();
        Guid last = default;
        for (var i = 0; i < 100; i++)
            last = await CallAsync(host, ada, group, $"{i}");

        await OutcomeAsync(last);

        Assert.That(await TextsAsync(group), Is.EqualTo(Enumerable.Range(0, 100).Select(i => $"{i}")));
    }
}
