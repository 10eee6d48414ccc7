using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Messages;
using Messaging.Application.Receipts;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Messages;
using Messaging.Testing;

namespace Messaging.Application.Tests.Messages;

public sealed class MessageTypeTests : SliceFixture
{
    private static readonly MessageLocation Hamburg = new(53.5511, 9.9937, "Hamburg");
    private static readonly MessageReference Post = new(
        "post", "4711", "A post", "https://example.com/4711", "https://example.com/4711.png");

    [Test]
    public async Task A_place_and_something_shared_come_back_as_they_were_sent()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        var id = await Slices.DirectAsync(ada, bob);

        var place = await SendAsync(ada, id, new MessageContent(Type: MessageType.Location, Location: Hamburg));
        var shared = await SendAsync(ada, id, new MessageContent(Type: MessageType.Shared, Text: "look", Reference: Post));

        Assert.That((place.Location, (await GetAsync(bob, place)).Location), Is.EqualTo((Hamburg, Hamburg)));
        Assert.That((shared.Reference, (await GetAsync(bob, shared)).Reference), Is.EqualTo((Post, Post)));
        Assert.That((await Slices.ViewAsync(bob, id)).LastMessage!.Type, Is.EqualTo(MessageType.Shared));
    }

    [TestCaseSource(nameof(Refusals))]
    public async Task A_message_without_what_its_type_needs_or_with_more_than_it_allows_is_refused(MessageContent content, string[] members)
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        var id = await Slices.DirectAsync(ada, bob);

        var refused = (await Assert.ThrowsAsync<RuleException>(() => SendAsync(ada, id, content)))!;

        Assert.That(refused.Problems.Select(problem => problem.Member), Is.EquivalentTo(members));
        Assert.That((await Slices.ViewAsync(ada, id)).LastSeq, Is.Zero);
    }

    [TestCase("""{"formatting":[{"start":0,"length":2,"type":"bold"},{"offset":1,"length":1}],"other":[1.50,"x"]}""", "a😀", null)]
    [TestCase("""{"formatting":[]}""", "a", null)]
    [TestCase("""{"my":{"formatting":"own"}}""", "a", null)]
    [TestCase("""{"formatting":[{"start":0,"length":1},{"start":0,"length":3}]}""", "a😀", "metadata/formatting/1")]
    [TestCase("""{"\u0066ormatting":[{"start":0,"length":2}]}""", "a", "metadata/formatting/0")]
    [TestCase("""{"formatting":[{"start":-1,"length":1}]}""", "a", "metadata/formatting/0")]
    [TestCase("""{"formatting":[{"start":2147483647,"length":2147483647}]}""", "a", "metadata/formatting/0")]
    [TestCase("""{"formatting":[{"start":0,"length":0}]}""", "a", "metadata/formatting/0")]
    [TestCase("""{"formatting":[{"start":0}]}""", "a", "metadata/formatting/0")]
    [TestCase("""{"formatting":["bold"]}""", "a", "metadata/formatting/0")]
    [TestCase("""{"formatting":{}}""", "a", null)]
    [TestCase("""{"formatting":{"bold":[[0,2],[1,1]],"My own":[]}}""", "a😀", null)]
    [TestCase("""{"formatting":{"bold":[[0,1]],"My/own":[[0,1],[1,2]]}}""", "a😀", "metadata/formatting/My~1own/1")]
    [TestCase("""{"formatting":{"bold":[[-1,1]]}}""", "a", "metadata/formatting/bold/0")]
    [TestCase("""{"formatting":{"bold":[[2147483647,2147483647]]}}""", "a", "metadata/formatting/bold/0")]
    [TestCase("""{"formatting":{"bold":[[0,0]]}}""", "a", "metadata/formatting/bold/0")]
    [TestCase("""{"formatting":{"bold":[[0]]}}""", "a", "metadata/formatting/bold/0")]
    [TestCase("""{"formatting":{"bold":[0,1]}}""", "a", "metadata/formatting/bold/0")]
    [TestCase("""{"formatting":{"bold":null}}""", "a", "metadata/formatting/bold")]
    [TestCase("""{"formatting":"bold"}""", "a", "metadata/formatting")]
    public async Task Ranges_lie_inside_the_text(string metadata, string text, string? member)
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        var id = await Slices.DirectAsync(ada, bob);
        var content = new MessageContent(Text: text, Metadata: new JsonText(metadata));

        if (member is not null)
            Assert.That((await ProblemAsync(() => SendAsync(ada, id, content))).Member, Is.EqualTo(member));
        else
            Assert.That(AreEqual((await GetAsync(bob, await SendAsync(ada, id, content))).Metadata!.Value.Value, metadata));
    }

    [Test]
    public async Task Everybody_is_mentioned_by_one_row_and_counts_it_once()
    {
        var users = await Slices.UsersAsync(4);
        var id = await Slices.GroupAsync(users[0], [.. users.Skip(1)]);

        var sent = await SendAsync(users[1], id, new MessageContent(Text: "all", Mentions: [users[2], MentionRules.Everybody]));
        await Slices.SendAsync(new MarkUnread(new Actor(users[1]), id, 1));

        Assert.That(sent.Mentions, Is.EqualTo(new[] { users[2], MentionRules.Everybody }));
        Assert.That(await Slices.ScalarAsync<long>("SELECT count(*) FROM mentions WHERE conversation_id = @Id", new { Id = id.Value }),
            Is.EqualTo(1));
        Assert.That(await MentionsAsync(id, users), Is.EqualTo(new[] { 1L, 0, 1, 1 }), "its sender is not called");
    }

    [Test]
    public async Task Everybody_is_mentioned_by_those_whom_the_policy_lets()
    {
        var users = await Slices.UsersAsync(3);
        var id = await Slices.GroupAsync(users[0], [.. users.Skip(1)]);
        await Slices.SendAsync(new UpdateConversation(
            new Actor(users[0]), id, null, default, default, default, default, default,
            new(new PolicyChange { MentionAll = new(AllowedTo.Admins) })));
        var all = new MessageContent(Text: "all", Mentions: [MentionRules.Everybody]);

        Assert.That(await RefusalAsync(() => SendAsync(users[1], id, all)), Is.EqualTo(ProblemCodes.NotAllowed));
        Assert.That((await SendAsync(users[0], id, all)).Mentions, Is.EqualTo(new[] { MentionRules.Everybody }));
        Assert.That((await SendAsync(users[0], await Slices.DirectAsync(users[0], users[1]), all)).Seq, Is.EqualTo(1));
    }

    [Test]
    public async Task A_retry_is_known_by_its_place_too()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        var id = await Slices.DirectAsync(ada, bob);
        var content = new MessageContent("key", MessageType.Location, Location: Hamburg);
        var sent = await SendAsync(ada, id, content);

        Assert.That((await SendAsync(ada, id, content)).Id, Is.EqualTo(sent.Id));
        Assert.That(
            await RefusalAsync(() => SendAsync(ada, id, content with { Location = Hamburg with { Label = null } })),
            Is.EqualTo(ProblemCodes.IdempotencyKeyReused));
    }

    [Test]
    public async Task Any_text_comes_back_verbatim_or_is_refused()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        var id = await Slices.DirectAsync(ada, bob);
        var (stored, refused) = (0, 0);

        await Gen.OneOf(Gen.Int[0, 0x7f], Gen.Int[0x80, 0xffff], Gen.Int[0x10000, 0x10ffff])
            .Select(point => point is >= 0xd800 and <= 0xdfff ? ((char)point).ToString() : char.ConvertFromUtf32(point))
            .CheckAsync(length: 12, cases: 200, async points =>
            {
                var text = string.Concat(points);
                if (!StrictText.IsStorable(text))
                {
                    refused++;
                    Assert.That(() => StrictText.Check(text), Throws.TypeOf<JsonException>());
                }
                else if (!string.IsNullOrWhiteSpace(text))
                {
                    stored++;
                    Assert.That((await GetAsync(bob, await SendAsync(ada, id, new MessageContent(Text: text)))).Text, Is.EqualTo(text));
                }
            });

        Assert.That(Math.Min(stored, refused), Is.GreaterThan(10), "texts of both kinds were made");
    }

    private static IEnumerable<TestCaseData> Refusals()
    {
        yield return new TestCaseData(new MessageContent(Text: " "), (string[])["text"]);
        yield return new TestCaseData(
            new MessageContent(Text: "hi", Location: Hamburg, Reference: Post), (string[])["location", "reference"]);
        yield return new TestCaseData(new MessageContent(Type: MessageType.Location, Text: "here"), (string[])["location"]);
        yield return new TestCaseData(
            new MessageContent(Type: MessageType.Location, Location: Hamburg, Reference: Post), (string[])["reference"]);
        yield return new TestCaseData(new MessageContent(Type: MessageType.Shared, Text: "look"), (string[])["reference"]);
        yield return new TestCaseData(
            new MessageContent(Type: MessageType.Location, Location: new MessageLocation(90.1, -180.1, "")),
            (string[])["location/latitude", "location/longitude", "location/label"]);
        yield return new TestCaseData(
            new MessageContent(Type: MessageType.Location, Location: new MessageLocation(double.NaN, double.PositiveInfinity)),
            (string[])["location/latitude", "location/longitude"]);
        yield return new TestCaseData(
            new MessageContent(
                Type: MessageType.Shared, Reference: new MessageReference("a b", "", new string('t', 201), "javascript:x", "ftp://x")),
            (string[])["reference/type", "reference/id", "reference/title", "reference/url", "reference/imageUrl"]);
    }

    private static bool AreEqual(string one, string other) => JsonNode.DeepEquals(JsonNode.Parse(one), JsonNode.Parse(other));

    private async Task<long[]> MentionsAsync(ConversationId id, IReadOnlyList<UserId> users)
    {
        var counts = new List<long>();
        foreach (var user in users)
            counts.Add((await Slices.ViewAsync(user, id)).Me!.MentionCount);
        return [.. counts];
    }

    private async Task<MessageView> SendAsync(UserId sender, ConversationId id, MessageContent content) =>
        (await Slices.SendAsync(new SendMessage(new Actor(sender), id, content))).Message;

    private Task<MessageView> GetAsync(UserId viewer, MessageView message) =>
        Slices.SendAsync(new GetMessage(new Actor(viewer), message.ConversationId, message.Id));
}
