using System.Text.Json.Nodes;
using CsCheck;
using Messaging.Application.Common;
using Messaging.Application.Contacts;
using Messaging.Application.Conversations;
using Messaging.Application.Messages;
using Messaging.Application.Participants;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Messages;
using Messaging.Testing;

namespace Messaging.Application.Tests.Messages;

public sealed class EditMessageTests : SliceFixture
{
    [Test]
    public async Task An_edit_keeps_what_was_said_before()
    {
        var (ada, bob, sent) = await SentAsync(new MessageContent(Text: "one", Metadata: new JsonText("""{"a":1,"b":2}""")));

        var edited = await EditAsync(ada, sent, text: "two", metadata: """{"a":null,"c":3}""");
        await EditAsync(ada, sent, text: "three");
        var versions = await EditsAsync(bob, sent);

        Assert.That((edited.Text, edited.EditCount, edited.Version), Is.EqualTo(("two", 1, 2L)));
        Assert.That(edited.Metadata!.Value.Value.Replace(" ", "", StringComparison.Ordinal), Is.EqualTo("""{"b":2,"c":3}"""));
        Assert.That(
            versions.Select(v => (v.Version, v.Text, v.EditedBy)), Is.EqualTo(new[] { (2L, "two", (UserId?)ada), (1L, "one", ada) }));
        Assert.That(versions[1].EditedAt, Is.EqualTo(edited.EditedAt));
        Assert.That((await GetAsync(bob, sent)).Text, Is.EqualTo("three"));
    }

    [Test]
    public async Task An_edit_that_changes_nothing_is_none()
    {
        var (ada, _, sent) = await SentAsync(new MessageContent(Text: "one", Metadata: new JsonText("""{"a":{"b":1.0}}""")));

        var edited = await EditAsync(ada, sent, text: "one", metadata: """{"a":{"b":1.0}}""");

        Assert.That((edited.Version, edited.EditedAt), Is.EqualTo((1L, (NodaTime.Instant?)null)));
        Assert.That(
            await Slices.ScalarAsync<long>(
                "SELECT count(*) FROM outbox WHERE type = 'message:edited' AND conversation_id = @Id",
                new { Id = sent.ConversationId.Value }),
            Is.Zero);
    }

    [Test]
    public async Task The_author_alone_edits_and_a_stranger_finds_nothing()
    {
        var (ada, bob, sent) = await SentAsync(new MessageContent(Text: "one"));
        var eve = await Slices.UserAsync();

        Assert.That(await RefusalAsync(() => EditAsync(bob, sent, text: "two")), Is.EqualTo(ProblemCodes.NotAllowed));
        Assert.That(await RefusalAsync(() => EditAsync(eve, sent, text: "two")), Is.EqualTo(ProblemCodes.NotFound));
        Assert.That((await GetAsync(ada, sent)).Version, Is.EqualTo(1));
    }

    [Test]
    public async Task The_service_edits_what_the_service_said()
    {
        var (ada, _, sent) = await SentAsync(new MessageContent(Text: "one"));
        var note = await Slices.SendAsync(
            new SendMessage(Actor.Service, sent.ConversationId, new MessageContent(Type: MessageType.System, Text: "note")));

        Assert.That(await RefusalAsync(() => Slices.SendAsync(Edit(Actor.Service, sent, "two"))), Is.EqualTo(ProblemCodes.NotAllowed));
        Assert.That((await Slices.SendAsync(Edit(Actor.Service, note.Message, "better"))).Text, Is.EqualTo("better"));
        Assert.That(await RefusalAsync(() => EditAsync(ada, note.Message, text: "mine")), Is.EqualTo(ProblemCodes.NotAllowed));
    }

    [Test]
    public async Task The_window_closes()
    {
        var (ada, _, sent) = await SentAsync(new MessageContent(Text: "one"), group: new PolicyChange { EditWindowSeconds = new(3600) });

        Assert.That((await EditAsync(ada, sent, text: "two")).Text, Is.EqualTo("two"));
        await Slices.ExecuteAsync(
            "UPDATE conversations SET policy = policy || '{\"editWindowSeconds\": 0}' WHERE id = @Id",
            new { Id = sent.ConversationId.Value });
        Assert.That(await RefusalAsync(() => EditAsync(ada, sent, text: "three")), Is.EqualTo(ProblemCodes.EditWindowPassed));
    }

    [Test]
    public async Task In_slow_mode_an_edit_waits_as_a_message_does()
    {
        var (ada, _, sent) = await SentAsync(new MessageContent(Text: "one"), group: new PolicyChange { SlowModeSeconds = new(3600) });

        var refused = await ProblemAsync(() => EditAsync(ada, sent, text: "two"));

        Assert.That((refused.Code, refused.RetryAfterSeconds is > 3500 and <= 3600), Is.EqualTo((ProblemCodes.RateLimited, true)));
        Assert.That((await GetAsync(ada, sent)).Text, Is.EqualTo("one"));
    }

    [Test]
    public async Task In_slow_mode_whatever_follows_an_edit_waits_too()
    {
        var (ada, _, sent) = await SentAsync(new MessageContent(Text: "one"), group: new PolicyChange { SlowModeSeconds = new(3600) });
        await Slices.ExecuteAsync(
            "UPDATE participants SET last_sent_at = last_sent_at - interval '1 hour' WHERE conversation_id = @Id",
            new { Id = sent.ConversationId.Value });

        await EditAsync(ada, sent, text: "two");

        Assert.That(await RefusalAsync(() => EditAsync(ada, sent, text: "three")), Is.EqualTo(ProblemCodes.RateLimited));
        Assert.That(await RefusalAsync(() => Slices.TextAsync(ada, sent.ConversationId)), Is.EqualTo(ProblemCodes.RateLimited));
        Assert.That((await EditAsync(ada, sent, text: "two")).EditCount, Is.EqualTo(1));
    }

    [Test]
    public async Task In_slow_mode_who_administers_edits_at_once()
    {
        var (_, bob, sent) = await SentAsync(new MessageContent(Text: "one"), group: new PolicyChange { SlowModeSeconds = new(3600) });
        var owners = await Slices.TextAsync(bob, sent.ConversationId);

        Assert.That((await EditAsync(bob, owners, text: "two")).Text, Is.EqualTo("two"));
    }

    [Test]
    public async Task A_message_is_edited_fifty_times_and_no_more()
    {
        var (ada, _, sent) = await SentAsync(new MessageContent(Text: "0"));
        for (var i = 1; i <= 50; i++)
            await EditAsync(ada, sent, text: $"{i}");

        Assert.That(await RefusalAsync(() => EditAsync(ada, sent, text: "51")), Is.EqualTo("limit-reached"));
        Assert.That((await EditAsync(ada, sent, text: "50")).EditCount, Is.EqualTo(50));
    }

    [Test]
    public async Task Edits_at_once_do_not_pass_the_fifty()
    {
        var (ada, _, sent) = await SentAsync(new MessageContent(Text: "one"));
        await Slices.ExecuteAsync(
            "UPDATE messages SET edit_count = 47 WHERE conversation_id = @Id", new { Id = sent.ConversationId.Value });

        var outcomes = await Task.WhenAll(
            Enumerable.Range(0, 8).Select(i => Task.Run(() => CodeAsync(() => EditAsync(ada, sent, text: $"text {i}")))));

        Assert.That(outcomes.Count(code => code.Length == 0), Is.EqualTo(3));
        Assert.That(outcomes.Count(code => code == "limit-reached"), Is.EqualTo(5));
    }

    [TestCase(null, "text")]
    [TestCase(" ", "text")]
    public async Task An_edit_that_leaves_no_valid_message_is_refused(string? text, string member)
    {
        var (ada, _, sent) = await SentAsync(new MessageContent(Text: "one"));

        Assert.That((await ProblemAsync(() => EditAsync(ada, sent, text: text))).Member, Is.EqualTo(member));
        Assert.That(
            (await ProblemAsync(() => EditAsync(ada, sent, new JsonText("""{"formatting":[{"start":0,"length":4}]}""")))).Member,
            Is.EqualTo("metadata/formatting/0"));
        Assert.That(
            (await ProblemAsync(() => EditAsync(ada, sent, new JsonText("""{"formatting":{"Bold":[[0,3],[3,1]]}}""")))).Member,
            Is.EqualTo("metadata/formatting/Bold/1"));
        Assert.That((await GetAsync(ada, sent)).Text, Is.EqualTo("one"));
    }

    [Test]
    public async Task Another_version_is_refused_and_of_two_edits_at_once_one_stands()
    {
        var (ada, _, sent) = await SentAsync(new MessageContent(Text: "one"));

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() => CodeAsync(
            () => Slices.SendAsync(Edit(new Actor(ada), sent, $"text {i}") with { Versions = [1] })))));

        Assert.That(outcomes.Count(code => code.Length == 0), Is.EqualTo(1));
        Assert.That(outcomes.Count(code => code == ProblemCodes.VersionMismatch), Is.EqualTo(7));
        Assert.That((await GetAsync(ada, sent)).EditCount, Is.EqualTo(1));
    }

    [Test]
    public async Task Metadata_from_before_their_bound_do_not_keep_a_text_from_being_edited()
    {
        var (ada, _, sent) = await SentAsync(new MessageContent(Text: "one"));
        await Slices.ExecuteAsync(
            "UPDATE messages SET metadata = jsonb_build_object('a', repeat('x', 20000)) WHERE id = @Id", new { Id = sent.Id.Value });

        Assert.That((await EditAsync(ada, sent, text: "two")).Text, Is.EqualTo("two"));
        Assert.That((await ProblemAsync(() => EditAsync(ada, sent, new JsonText("""{"b":1}""")))).Member, Is.EqualTo("metadata"));
    }

    [Test]
    public async Task Mentions_are_counted_anew()
    {
        var users = await Slices.UsersAsync(4);
        var id = await Slices.GroupAsync(users[0], [.. users.Skip(1)]);
        var sent = (await Slices.SendAsync(
            new SendMessage(new Actor(users[0]), id, new MessageContent(Text: "hi", Mentions: [users[1], users[2]])))).Message;

        await EditAsync(users[0], sent, mentions: [users[2], users[3]]);

        Assert.That(await MentionsAsync(id, users), Is.EqualTo(new[] { 0L, 0, 1, 1 }));
        Assert.That(await ToldAsync(), Is.EquivalentTo(new[] { users[1], users[3] }));
        await EditAsync(users[0], sent, mentions: [MentionRules.Everybody]);
        Assert.That(await MentionsAsync(id, users), Is.EqualTo(new[] { 0L, 1, 1, 1 }));
        await EditAsync(users[0], sent, mentions: null);
        Assert.That(await MentionsAsync(id, users), Is.EqualTo(new[] { 0L, 0, 0, 0 }));

        async Task<IEnumerable<UserId>> ToldAsync() => (await Slices.SqlAsync(session => session.QueryAsync<string>(
            "SELECT user_id FROM outbox WHERE type = 'unread:changed' ORDER BY occurred_at, event_no", null, CancellationToken.None)))
            .Select(user => new UserId(user)).Where(users.Contains);
    }

    [Test]
    public async Task Who_was_mentioned_and_left_may_stay_mentioned()
    {
        var users = await Slices.UsersAsync(3);
        var id = await Slices.GroupAsync(users[0], [.. users.Skip(1)]);
        var sent = (await Slices.SendAsync(
            new SendMessage(new Actor(users[0]), id, new MessageContent(Text: "hi", Mentions: [users[1]])))).Message;
        await Slices.SendAsync(new LeaveConversation(new Actor(users[1]), id));
        var stranger = await Slices.UserAsync();

        Assert.That((await EditAsync(users[0], sent, mentions: [users[2], users[1]])).Mentions, Is.EqualTo(new[] { users[2], users[1] }));
        Assert.That((await ProblemAsync(() => EditAsync(users[0], sent, mentions: [users[2], stranger]))).Member, Is.EqualTo("mentions/1"));
    }

    [Test]
    public async Task Previews_show_the_new_text()
    {
        var (ada, bob, sent) = await SentAsync(new MessageContent(Text: "one"));
        await EditAsync(ada, sent, text: new string('x', 130));
        Assert.That((await Slices.ViewAsync(bob, sent.ConversationId)).LastMessage!.Text, Is.EqualTo(new string('x', 120)));

        var reply = (await Slices.SendAsync(
            new SendMessage(new Actor(bob), sent.ConversationId, new MessageContent(Text: "re", ReplyToId: sent.Id)))).Message;
        await EditAsync(ada, sent, text: "two");

        Assert.That((await GetAsync(ada, reply)).ReplyTo!.Preview, Is.EqualTo("two"));
        Assert.That((await Slices.ViewAsync(bob, sent.ConversationId)).LastMessage!.Text, Is.EqualTo("re"));
    }

    [Test]
    public async Task Nothing_is_edited_in_a_conversation_that_is_closed_or_between_who_blocked_each_other()
    {
        var (ada, bob, sent) = await SentAsync(new MessageContent(Text: "one"));
        await Slices.SendAsync(new BlockUser(new Actor(bob), ada));
        Assert.That(await RefusalAsync(() => EditAsync(ada, sent, text: "two")), Is.EqualTo(ProblemCodes.Blocked));
        await Slices.SendAsync(new CloseConversation(Actor.Service, sent.ConversationId, CloseReason.Manual, null));
        Assert.That(await RefusalAsync(() => EditAsync(ada, sent, text: "two")), Is.EqualTo(ProblemCodes.ConversationClosed));
    }

    [Test]
    public async Task Earlier_versions_are_for_moderators_where_the_policy_says_so()
    {
        var (ada, bob, sent) = await SentAsync(
            new MessageContent(Text: "one"), group: new PolicyChange { EditHistory = new(EditHistoryAccess.Moderators) });
        await EditAsync(ada, sent, text: "two");

        Assert.That(await RefusalAsync(() => EditsAsync(bob, sent)), Is.EqualTo(ProblemCodes.NotAllowed));
        Assert.That(
            (await Slices.SendAsync(new ListEdits(Actor.Service, sent.ConversationId, sent.Id, null, 30))).Items.Single().Text,
            Is.EqualTo("one"));
    }

    [Test]
    public async Task Earlier_versions_come_in_pages()
    {
        var (ada, bob, sent) = await SentAsync(new MessageContent(Text: "0"));
        for (var i = 1; i <= 5; i++)
            await EditAsync(ada, sent, text: $"{i}");

        var (versions, cursor) = (new List<string?>(), (string?)null);
        do
        {
            var page = await Slices.SendAsync(new ListEdits(new Actor(bob), sent.ConversationId, sent.Id, cursor, 2));
            versions.AddRange(page.Items.Select(item => item.Text));
            cursor = page.NextCursor;
        }
        while (cursor is not null);

        Assert.That(versions, Is.EqualTo(new[] { "4", "3", "2", "1", "0" }));
    }

    [Test]
    public Task Any_edits_leave_what_they_come_to_and_every_version_before_in_order() =>
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, 5]).CheckAsync(length: 45, cases: 1, LeavesEveryVersionAsync);

    private async Task LeavesEveryVersionAsync((int, int)[] program)
    {
        string?[] patches = [null, "{}", """{"a":1}""", """{"a":null,"b":{"c":2}}""", """{"b":{"c":null,"d":3}}"""];
        var (ada, bob, sent) = await SentAsync(new MessageContent(Text: "0"));
        var versions = new List<(string Text, JsonNode? Metadata)> { ("0", null) };

        foreach (var (text, patch) in program)
        {
            var (before, given) = (versions[^1], patch < patches.Length);
            var after = (Text: text == 3 ? before.Text : $"{text}",
                Metadata: given ? Merged(before.Metadata, patches[patch]) : before.Metadata);
            var edited = await Slices.SendAsync(new EditMessage(
                new Actor(ada), sent.ConversationId, sent.Id, null, text == 3 ? default : new(after.Text),
                given ? new(Json(patches[patch])) : default, default));
            if (after.Text != before.Text || !JsonNode.DeepEquals(after.Metadata, before.Metadata))
                versions.Add(after);
            Assert.That(
                (edited.Text, edited.EditCount, edited.Version), Is.EqualTo((after.Text, versions.Count - 1, (long)versions.Count)));
            Assert.That(JsonNode.DeepEquals(Node(edited.Metadata), after.Metadata), Is.True);
        }

        var earlier = (await Slices.SendAsync(new ListEdits(new Actor(bob), sent.ConversationId, sent.Id, null, 100))).Items.Reverse()
            .ToList();
        Assert.That(earlier.Select(edit => edit.Text), Is.EqualTo(versions.SkipLast(1).Select(version => version.Text)));
        Assert.That(earlier.Zip(versions).All(pair => JsonNode.DeepEquals(Node(pair.First.Metadata), pair.Second.Metadata)), Is.True);

        static JsonText? Json(string? text) => text is null ? null : new JsonText(text);

        static JsonNode? Node(JsonText? json) => json is { } text ? JsonNode.Parse(text.Value) : null;

        // RFC 7396, of objects of objects.
        static JsonNode? Merged(JsonNode? target, string? patch)
        {
            if (patch is null)
                return null;
            var result = target?.DeepClone().AsObject() ?? [];
            foreach (var (name, value) in JsonNode.Parse(patch)!.AsObject())
            {
                if (value is null)
                    result.Remove(name);
                else
                    result[name] = value is JsonObject ? Merged(result[name], value.ToJsonString()) : value.DeepClone();
            }
            return result;
        }
    }

    private async Task<(UserId Ada, UserId Bob, MessageView Sent)> SentAsync(MessageContent content, PolicyChange? group = null)
    {
        var (ada, bob) = (await Slices.UserAsync("ada"), await Slices.UserAsync("bob"));
        var id = group is null
            ? await Slices.DirectAsync(ada, bob)
            : (await Slices.SendAsync(new CreateGroup(new Actor(bob), "Group", [ada], null, null, null, null, null, group))).Id;
        return (ada, bob, (await Slices.SendAsync(new SendMessage(new Actor(ada), id, content))).Message);
    }

    private static EditMessage Edit(Actor actor, MessageView message, string text) =>
        new(actor, message.ConversationId, message.Id, null, new(text), default, default);

    private Task<MessageView> EditAsync(UserId user, MessageView message, string? text) =>
        Slices.SendAsync(Edit(new Actor(user), message, text!));

    private Task<MessageView> EditAsync(UserId user, MessageView message, string text, string metadata) =>
        Slices.SendAsync(Edit(new Actor(user), message, text) with { Metadata = new(new JsonText(metadata)) });

    private Task<MessageView> EditAsync(UserId user, MessageView message, IReadOnlyList<UserId>? mentions) =>
        Slices.SendAsync(new EditMessage(new Actor(user), message.ConversationId, message.Id, null, default, default, new(mentions)));

    private Task<MessageView> EditAsync(UserId user, MessageView message, JsonText metadata) => Slices.SendAsync(
        new EditMessage(new Actor(user), message.ConversationId, message.Id, null, default, new(metadata), default));

    private async Task<IReadOnlyList<EditView>> EditsAsync(UserId user, MessageView message) =>
        (await Slices.SendAsync(new ListEdits(new Actor(user), message.ConversationId, message.Id, null, 30))).Items;

    private Task<MessageView> GetAsync(UserId viewer, MessageView message) =>
        Slices.SendAsync(new GetMessage(new Actor(viewer), message.ConversationId, message.Id));

    private async Task<long[]> MentionsAsync(ConversationId id, IReadOnlyList<UserId> users)
    {
        var counts = new List<long>();
        foreach (var user in users)
            counts.Add((await Slices.ViewAsync(user, id)).Me!.MentionCount);
        return [.. counts];
    }
}
