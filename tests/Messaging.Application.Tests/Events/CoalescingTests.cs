using CsCheck;
using Messaging.Application.Common;
using Messaging.Testing;

namespace Messaging.Application.Tests.Events;

/// <summary>Moves of pointers that wait in the outbox together are told once, and nobody who folds them sees a difference.</summary>
public sealed class CoalescingTests
{
    private static readonly Guid Conversation = Guid.CreateVersion7();

    private FeedDatabase feed = null!;

    [SetUp]
    public async Task StartAsync() => feed = await FeedDatabase.StartAsync();

    [TearDown]
    public async Task StopAsync() => await feed.DisposeAsync();

    [Test]
    public async Task The_last_of_several_moves_of_one_user_stands_for_all()
    {
        await AppendAsync(
            [.. Enumerable.Range(1, 9).SelectMany(seq => new[] { Read("ada", seq), Delivered("ada", seq), Read("bob", seq) })]);

        await feed.DrainAsync();

        Assert.That((await FeedAsync()).Select(e => e.ToString()), Is.EquivalentTo(new[]
        {
            Read("ada", 9).ToString(), Delivered("ada", 9).ToString(), Read("bob", 9).ToString(),
        }));
        Assert.That(await feed.Slices.ScalarAsync<bool>(
            "SELECT count(*) = max(position) AND max(position) = (SELECT last_position FROM feed_state) FROM feed"), Is.True);
    }

    [Test]
    public async Task A_move_back_is_never_left_out_nor_what_reached_further_before_it()
    {
        Told[] all = [Read("ada", 3), Read("ada", 7), Back("ada", 4), Read("ada", 5), Read("ada", 6), Back("ada", 2)];
        await AppendAsync(all);

        await feed.DrainAsync();

        Assert.That(await FeedAsync(), Is.EqualTo(new[] { all[1], all[2], all[4], all[5] }));
    }

    [Test]
    public async Task A_public_event_is_not_replaced_by_a_later_private_one()
    {
        Told[] all = [Read("ada", 3), Read("ada", 4) with { Audience = "ada" }, Read("ada", 5) with { Audience = "ada" }];
        await AppendAsync(all);

        await feed.DrainAsync();

        Assert.That(await FeedAsync(), Is.EqualTo(new[] { all[0], all[2] }));
    }

    [Test]
    public async Task A_late_move_that_reaches_less_far_does_not_stand_for_an_earlier_one()
    {
        Told[] all = [Read("ada", 5), Read("ada", 3)];
        await AppendAsync(all);

        await feed.DrainAsync();

        Assert.That(await FeedAsync(), Is.EqualTo(all));
    }

    [Test]
    public async Task The_same_pointer_of_another_conversation_is_another_one()
    {
        Told[] all = [Read("ada", 5), Read("ada", 6) with { Conversation = Guid.CreateVersion7() }];
        await AppendAsync(all);

        await feed.DrainAsync();

        Assert.That(await FeedAsync(), Is.EqualTo(all));
    }

    [Test]
    public Task Folding_what_is_told_gives_the_same_pointers_as_folding_all() =>
        Gen.Select(Gen.Int[0, 9], Gen.OneOfConst("ada", "bob"), Gen.Int[0, 3]).CheckAsync(length: 60, cases: 40, async program =>
        {
            await feed.Slices.ExecuteAsync("DELETE FROM feed");
            var all = Run(program);
            await AppendAsync(all);

            await feed.DrainAsync();

            var told = await FeedAsync();
            foreach (var viewer in new[] { "ada", "bob", "eve" })
                Assert.That(Fold(viewer, told), Is.EqualTo(Fold(viewer, all)), () => string.Join('\n', all.Select(e => e.ToString())));
            Assert.That(told, Is.SubsetOf(all));
        });

    // As the commands do: a pointer rises, unless it is marked back; what is unread is told with it; a message moves its sender's pointer.
    private static List<Told> Run(IEnumerable<(int Kind, string Who, int By)> program)
    {
        var (events, newest, hides) = (new List<Told>(), 0, new HashSet<string>());
        var read = new Dictionary<string, int> { ["ada"] = 0, ["bob"] = 0 };
        foreach (var (kind, who, by) in program)
        {
            var audience = hides.Contains(who) ? who : null;
            switch (kind)
            {
                case 0 or 1:
                    newest++;
                    read[who] = newest;
                    events.Add(new Told("message:new", who, newest));
                    break;
                case 2 when !hides.Remove(who):
                    hides.Add(who);
                    break;
                case 3:
                    events.Add(Delivered(who, Math.Max(newest - by, 0)));
                    break;
                case 4 when newest > by:
                    read[who] = newest - by - 1;
                    events.Add(Back(who, read[who]) with { Audience = audience });
                    events.Add(Unread(who, read[who], newest, newest - read[who]) with { IsBack = true });
                    break;
                case > 4 when read[who] + by + 1 <= newest:
                    read[who] += by + 1;
                    events.Add(Read(who, read[who]) with { Audience = audience });
                    if (by > 0)
                        events.Add(Unread(who, read[who], newest, newest - read[who]));
                    break;
            }
        }
        return events;
    }

    // The rules of docs/integrating.md, for one who hears these events.
    private static string Fold(string viewer, IEnumerable<Told> events)
    {
        var (read, delivered) = (new SortedDictionary<string, int>(), new SortedDictionary<string, int>());
        var (unread, counted, heard) = (0, 0, new List<Told>());
        foreach (var e in events.Where(e => e.Audience is null || e.Audience == viewer))
        {
            var mine = e.Who == viewer;
            switch (e.Type)
            {
                case "message:new":
                    heard.Add(e);
                    if (e.Seq > counted)
                        (counted, unread) = (e.Seq, mine ? 0 : e.Seq > read.GetValueOrDefault(viewer) ? unread + 1 : unread);
                    Raise(read, e);
                    Raise(delivered, e);
                    break;
                case "message:delivered":
                    Raise(delivered, e);
                    break;
                case "message:read":
                    Raise(read, e);
                    Raise(delivered, e);
                    if (e.IsBack)
                        read[e.Who] = e.Seq;
                    break;
                case "unread:changed" when e.IsBack || e.Seq >= read.GetValueOrDefault(viewer):
                    read[viewer] = e.Seq;
                    unread = e.Unread + heard.Count(m => m.Seq > e.LastSeq && m.Who != viewer);
                    counted = Math.Max(counted, e.LastSeq!.Value);
                    break;
            }
        }
        return $"read {string.Join(' ', read)}, delivered {string.Join(' ', delivered)}, unread {unread} of {counted}";

        static void Raise(SortedDictionary<string, int> pointers, Told e) =>
            pointers[e.Who] = Math.Max(pointers.GetValueOrDefault(e.Who), e.Seq);
    }

    private async Task AppendAsync(IReadOnlyList<Told> events) => await feed.Slices.ExecuteAsync(
        """
        INSERT INTO outbox (occurred_at, conversation_id, user_id, type, payload)
        SELECT now() + e.no * interval '1 microsecond', e.conversation, e.audience, e.type, e.payload::jsonb
        FROM unnest(@Conversations, @Audiences::text[], @Types, @Payloads) WITH ORDINALITY AS e (conversation, audience, type, payload, no)
        """,
        new
        {
            Conversations = events.Select(e => e.Conversation).ToArray(),
            Audiences = events.Select(e => e.Audience).ToArray(),
            Types = events.Select(e => e.Type).ToArray(),
            Payloads = events.Select(e => e.Payload).ToArray(),
        });

    private async Task<List<Told>> FeedAsync()
    {
        var rows = await feed.Slices.SqlAsync(session => session.QueryAsync<Row>(
            "SELECT conversation_id, user_id, type, payload FROM feed ORDER BY position", null, CancellationToken.None));
        return rows.ConvertAll(row => row.ToTold());
    }

    private static Told Read(string who, int seq) => new("message:read", who, seq);

    private static Told Back(string who, int seq) => new("message:read", who, seq) { IsBack = true };

    private static Told Delivered(string who, int seq) => new("message:delivered", who, seq);

    private static Told Unread(string who, int seq, int lastSeq, int unread) =>
        new("unread:changed", who, seq) { LastSeq = lastSeq, Unread = unread, Audience = who };

    private sealed record Told(string Type, string Who, int Seq)
    {
        public Guid Conversation { get; init; } = CoalescingTests.Conversation;

        public string? Audience { get; init; }

        public bool IsBack { get; init; }

        public int? LastSeq { get; init; }

        public int Unread { get; init; }

        public string Payload
        {
            get
            {
                var back = IsBack ? ", \"markedUnread\": true" : "";
                return Type == "unread:changed"
                    ? $$"""{"lastReadSeq": {{Seq}}, "lastSeq": {{LastSeq}}, "unreadCount": {{Unread}}{{back}}}"""
                    : $$"""{"userId": "{{Who}}", "seq": {{Seq}}{{back}}}""";
            }
        }
    }

    private sealed record Row(Guid ConversationId, string? UserId, string Type, JsonText Payload)
    {
        public Told ToTold()
        {
            var data = System.Text.Json.Nodes.JsonNode.Parse(Payload.Value)!;
            return new Told(Type, data["userId"]?.GetValue<string>() ?? UserId!, (data["seq"] ?? data["lastReadSeq"])!.GetValue<int>())
            {
                Conversation = ConversationId,
                Audience = UserId,
                IsBack = data["markedUnread"] is not null,
                LastSeq = data["lastSeq"]?.GetValue<int>(),
                Unread = data["unreadCount"]?.GetValue<int>() ?? 0,
            };
        }
    }
}
