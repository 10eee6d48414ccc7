using System.Globalization;
using System.Text;
using Messaging.Application.Common;
using Messaging.Application.Messages;
using Messaging.Application.Participants;
using Messaging.Domain.Common;
using Messaging.Domain.Messages;

namespace Messaging.Application.Tests.Messages;

public sealed class SendMessageTests : SliceFixture
{
    [Test]
    public async Task A_message_is_answered_as_it_is_read_later()
    {
        var (ada, bob) = (await Slices.UserAsync("ada"), await Slices.UserAsync("bob"));
        var id = await Slices.GroupAsync(ada, bob);
        var first = await Slices.TextAsync(bob, id, "first");

        var sent = await SendAsync(ada, id, new MessageContent("k", null, "hi @bob 👩‍👩‍👧", new JsonText("""{"a": 1}"""), first.Id, [bob]));
        var read = await Slices.SendAsync(new GetMessage(new Actor(ada), id, sent.Id));

        Assert.That(Text(read), Is.EqualTo(Text(sent)));
        Assert.That((read.Seq, read.ReplyTo!.Preview, read.Mentions.Single(), read.Sender!.DisplayName),
            Is.EqualTo((first.Seq + 1, "first", bob, "ada")));
    }

    [Test]
    public async Task Sixty_four_simultaneous_senders_take_the_seqs_without_a_gap()
    {
        var users = await Slices.UsersAsync(64);
        var id = await Slices.GroupAsync(users[0], [.. users.Skip(1)]);

        var sent = await Task.WhenAll(
            users.SelectMany(user => Enumerable.Range(0, 4).Select(_ => Task.Run(() => Slices.TextAsync(user, id)))));

        Assert.That(sent.Select(m => m.Seq).Order(), Is.EqualTo(Enumerable.Range(2, 256).Select(n => (long)n)));
        Assert.That(sent.OrderBy(m => m.Seq).Select(m => m.CreatedAt), Is.Ordered.Ascending.And.Unique);
    }

    [Test]
    public async Task Fifty_simultaneous_retries_store_one_message_and_answer_the_same()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        var id = await Slices.DirectAsync(ada, bob);

        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(() => Slices.SendAsync(
            new SendMessage(new Actor(ada), id, new MessageContent("once", Text: "hi"))))));

        Assert.That(answers.Count(a => a.Created), Is.EqualTo(1));
        Assert.That(answers.Select(a => Text(a.Message)).Distinct().Count(), Is.EqualTo(1));
        Assert.That((await Slices.ViewAsync(ada, id)).LastSeq, Is.EqualTo(1));
    }

    [Test]
    public async Task A_repeat_is_answered_with_what_is_stored_also_where_its_sender_has_cleared_it()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        var id = await Slices.DirectAsync(ada, bob);
        var sent = await Slices.TextAsync(ada, id, "hi", "once");
        await Slices.SendAsync(new ClearHistory(new Actor(ada), id, LeavesInbox: false));

        var repeat = await Slices.SendAsync(new SendMessage(new Actor(ada), id, new MessageContent("once", Text: "hi")));

        Assert.That((repeat.Created, repeat.Message.Id, repeat.Message.Text), Is.EqualTo((false, sent.Id, "hi")));
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task A_repeat_shows_no_quote_that_its_sender_may_not_see(bool clears)
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        var id = await Slices.DirectAsync(ada, bob);
        var quoted = await Slices.TextAsync(bob, id, "before");
        var answer = new SendMessage(new Actor(ada), id, new MessageContent("once", Text: "hi", ReplyToId: quoted.Id));
        var sent = (await Slices.SendAsync(answer)).Message;
        if (clears)
            await Slices.SendAsync(new ClearHistory(new Actor(ada), id, LeavesInbox: false));
        else
            await Slices.SendAsync(new DeleteMessage(new Actor(ada), id, sent.Id, DeleteScope.Me, Reason: null, Versions: null));
        await Slices.SendAsync(new EditMessage(new Actor(bob), id, quoted.Id, Versions: null, new("after"), default, default));

        var repeat = await Slices.SendAsync(answer);

        Assert.That((repeat.Message.Id, repeat.Message.ReplyTo?.Preview), Is.EqualTo((sent.Id, clears ? null : "after")));
    }

    [Test]
    public async Task The_same_key_with_other_content_is_refused()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        var id = await Slices.DirectAsync(ada, bob);
        await Slices.TextAsync(ada, id, "one", "key");

        Assert.That(await RefusalAsync(() => Slices.TextAsync(ada, id, "two", "key")), Is.EqualTo(ProblemCodes.IdempotencyKeyReused));
        Assert.That((await Slices.TextAsync(bob, id, "two", "key")).Seq, Is.EqualTo(2), "a key is its sender's own");
    }

    [Test]
    public async Task A_stranger_and_somebody_who_left_find_nothing()
    {
        var (ada, bob, eve) = (await Slices.UserAsync(), await Slices.UserAsync(), await Slices.UserAsync());
        var id = await Slices.GroupAsync(ada, bob);
        await Slices.ExecuteAsync(
            "UPDATE participants SET left_at = now() WHERE conversation_id = @Id AND user_id = @User",
            new { Id = id.Value, User = bob.Value });

        Assert.That(await RefusalAsync(() => Slices.TextAsync(eve, id)), Is.EqualTo(ProblemCodes.NotFound));
        Assert.That(await RefusalAsync(() => Slices.TextAsync(bob, id)), Is.EqualTo(ProblemCodes.NotFound));
        Assert.That(await RefusalAsync(() => Slices.TextAsync(ada, new ConversationId(Guid.NewGuid()))), Is.EqualTo(ProblemCodes.NotFound));
    }

    [TestCase("closed_at = now(), closed_reason = 'manual'", ProblemCodes.ConversationClosed)]
    [TestCase("archived_at = now()", ProblemCodes.ConversationArchived)]
    public async Task Nothing_is_sent_where_nothing_may_be_but_a_retry_is_answered(string change, string code)
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        var id = await Slices.DirectAsync(ada, bob);
        var sent = await Slices.TextAsync(ada, id, "hi", "key");
        await Slices.ExecuteAsync($"UPDATE conversations SET {change}, version = version + 1 WHERE id = @Id", new { Id = id.Value });

        Assert.That(await RefusalAsync(() => Slices.TextAsync(ada, id)), Is.EqualTo(code));
        Assert.That((await Slices.TextAsync(ada, id, "hi", "key")).Id, Is.EqualTo(sent.Id));
    }

    [Test]
    public async Task A_mention_of_a_stranger_is_named()
    {
        var (ada, bob, eve) = (await Slices.UserAsync(), await Slices.UserAsync(), await Slices.UserAsync());
        var id = await Slices.DirectAsync(ada, bob);

        var problem = await ProblemAsync(() => SendAsync(ada, id, new MessageContent(Text: "hi", Mentions: [bob, eve])));

        Assert.That((problem.Member, problem.Detail.Contains(eve.Value, StringComparison.Ordinal)), Is.EqualTo(("mentions/1", true)));
    }

    [Test]
    public async Task A_reply_to_another_conversations_message_is_worded_like_one_to_nothing()
    {
        var (ada, bob, eve) = (await Slices.UserAsync(), await Slices.UserAsync(), await Slices.UserAsync());
        var id = await Slices.DirectAsync(ada, bob);
        var elsewhere = await Slices.TextAsync(eve, await Slices.DirectAsync(eve, bob));

        var foreign = await ProblemAsync(() => SendAsync(ada, id, new MessageContent(Text: "hi", ReplyToId: elsewhere.Id)));
        var absent = await ProblemAsync(() => SendAsync(ada, id, new MessageContent(Text: "hi", ReplyToId: new MessageId(Guid.NewGuid()))));

        Assert.That(foreign, Is.EqualTo(absent));
        Assert.That(foreign.Member, Is.EqualTo("replyToId"));
    }

    [Test]
    public async Task System_messages_are_the_services_and_the_service_sends_nothing_else()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        var id = await Slices.DirectAsync(ada, bob);
        var system = new MessageContent(Type: MessageType.System, Metadata: new JsonText("""{"event":"shipment-accepted"}"""));

        var sent = (await Slices.SendAsync(new SendMessage(Actor.Service, id, system))).Message;

        Assert.That((sent.SenderId, sent.RecipientCount), Is.EqualTo(((UserId?)null, 2)));
        Assert.That(await RefusalAsync(() => SendAsync(ada, id, system)), Is.EqualTo(ProblemCodes.NotAllowed));
        Assert.That(
            (await ProblemAsync(() => Slices.SendAsync(new SendMessage(Actor.Service, id, new MessageContent(Text: "hi"))))).Member,
            Is.EqualTo("type"));
    }

    [Test]
    public async Task Lengths_are_code_points_and_all_that_is_wrong_is_said_at_once()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        var id = await Slices.DirectAsync(ada, bob);
        var longest = string.Concat(Enumerable.Repeat("😀", 10_000));

        var sent = await SendAsync(ada, id, new MessageContent(Text: longest));
        var refused = (await Assert.ThrowsAsync<RuleException>(
            () => SendAsync(ada, id, new MessageContent(new string('k', 65), Text: longest + "x"))))!;

        Assert.That(sent.Text, Is.EqualTo(longest));
        Assert.That(refused.Problems.Select(p => p.Member), Is.EquivalentTo(new[] { "clientMessageId", "text" }));
        Assert.That(
            (await Slices.ViewAsync(bob, id)).LastMessage!.Text, Is.EqualTo(string.Concat(Enumerable.Repeat("😀", 120))));
    }

    [Test]
    public async Task A_message_found_by_an_id_of_another_clock_is_found_all_the_same()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        var id = await Slices.DirectAsync(ada, bob);
        var sent = await Slices.TextAsync(ada, id);
        var foreign = MessageId.New(sent.CreatedAt - NodaTime.Duration.FromHours(3));
        await Slices.ExecuteAsync("UPDATE messages SET id = @New WHERE id = @Old", new { New = foreign.Value, Old = sent.Id.Value });

        Assert.That((await Slices.SendAsync(new GetMessage(new Actor(bob), id, foreign))).Seq, Is.EqualTo(1));
    }

    private async Task<MessageView> SendAsync(UserId sender, ConversationId id, MessageContent content) =>
        (await Slices.SendAsync(new SendMessage(new Actor(sender), id, content))).Message;

    private static string Text(MessageView message) => new StringBuilder()
        .Append(CultureInfo.InvariantCulture, $"{System.Text.Json.JsonSerializer.Serialize(message, MessagingJson.Options)}").ToString();
}
