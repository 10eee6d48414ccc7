using CsCheck;
using Messaging.Application.Conversations;
using Messaging.Application.Messages;
using Messaging.Application.Participants;
using Messaging.Application.Receipts;
using Messaging.Application.Search;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Messages;
using Messaging.Domain.Participants;
using Messaging.Testing;

namespace Messaging.Application.Tests.Messages;

/// <summary>
/// Random programs in a group: what is somebody's to see, and what is unread, by the domain's rule is what the rule in SQL and each way of
/// reading finds.
/// </summary>
public sealed class VisibilityTests : SliceFixture
{
    private const int Users = 4;
    private const int Steps = 60;
    private const string Word = "wombat";

    private const string SeenSql =
        $"""
        SELECT u.id AS user_id, m.seq, coalesce({VisibilitySql.Seen}, false) AS seen,
            coalesce({VisibilitySql.ReplySeen}, false) AS reply_seen,
            coalesce({VisibilitySql.NewestSeen}, false) AS newest_seen
        FROM messages m
        CROSS JOIN unnest(@Users) AS u (id)
        CROSS JOIN LATERAL (SELECT m.seq) r
        CROSS JOIN LATERAL (SELECT m.seq AS last_seq) c
        LEFT JOIN participants p ON p.conversation_id = m.conversation_id AND p.user_id = u.id AND {VisibilitySql.TakesPart}
        WHERE m.conversation_id = @Id
        """;

    private const string UnreadSql =
        $"""
        SELECT p.user_id, p.cleared_seq, p.last_read_seq, p.pending, {Application.Receipts.UnreadSql.Messages} AS unread
        FROM participants p
        JOIN conversations c ON c.id = p.conversation_id
        WHERE p.conversation_id = @Id AND {VisibilitySql.TakesPart}
        """;

    private const string MessagesSql =
        """
        SELECT id, seq, sender_id, type, created_at, deleted_at IS NOT NULL AS is_deleted, version
        FROM messages
        WHERE conversation_id = @Id
        """;

    // Each step is decided by a number of its own, and by where the program has come to.
    private static readonly Gen<int> Step = Gen.Int[0, int.MaxValue];

    private readonly Dictionary<long, (MessageId Id, long? ReplyTo)> said = [];
    private List<Viewer> viewers = null!;
    private ConversationId group;

    [Test]
    public async Task Queries_find_exactly_the_messages_that_the_domain_shows()
    {
        var hidden = 0;
        await Step.CheckAsync(Steps, cases: 8, async steps =>
        {
            await RunAsync(steps, () => Task.CompletedTask);
            hidden += viewers.Sum(viewer => viewer.Hidden.Count);
            await CompareAsync();
        });

        Assert.That(hidden, Is.Positive);
    }

    private async Task CompareAsync()
    {
        foreach (var row in await Slices.SqlAsync(session => session.QueryAsync<SeenRow>(
            SeenSql, new { Id = group.Value, Users = viewers.Select(viewer => viewer.Id.Value).ToArray() }, CancellationToken.None)))
        {
            var sees = viewers.Single(viewer => viewer.Id == row.UserId).Sees(row.Seq);
            Assert.That((row.Seen, row.ReplySeen, row.NewestSeen), Is.EqualTo((sees, sees, sees)), $"{row.UserId} {row.Seq}");
        }
        foreach (var viewer in viewers)
            await CompareAsync(viewer);
    }

    // By the state of each that the service has come to: how it comes to that is not the rule's.
    [Test]
    public async Task Queries_count_as_unread_exactly_what_the_domain_does()
    {
        var most = 0L;
        await Step.CheckAsync(Steps, cases: 4, steps => RunAsync(steps, async () =>
        {
            var messages = await RowsAsync<StoredMessage>(MessagesSql);
            foreach (var row in await RowsAsync<UnreadRow>(UnreadSql))
            {
                var hidden = viewers.Single(viewer => viewer.Id == row.UserId).Hidden;
                var unread = messages.Where(message => message.Counts && row.ToParticipant().HasUnread(message))
                    .Count(message => !hidden.Contains(message.Seq));
                Assert.That(row.Unread, Is.EqualTo(unread), $"{row}");
                most = Math.Max(most, row.Unread);
            }
        }));

        Assert.That(most, Is.GreaterThan(3));
    }

    private async Task RunAsync(int[] steps, Func<Task> compare)
    {
        said.Clear();
        viewers = [.. (await Slices.UsersAsync(Users)).Select(user => new Viewer(user) { IsIn = true })];
        group = await Slices.GroupAsync(viewers[0].Id, [.. viewers.Skip(1).Select(viewer => viewer.Id)]);
        foreach (var step in steps)
        {
            await DoAsync(new Random(step));
            await compare();
        }
    }

    private Task<List<T>> RowsAsync<T>(string sql) =>
        Slices.SqlAsync(session => session.QueryAsync<T>(sql, new { Id = group.Value }, CancellationToken.None));

    private async Task CompareAsync(Viewer viewer)
    {
        var actor = new Actor(viewer.Id);
        var newest = await NewestAsync();
        var seen = Enumerable.Range(1, (int)newest).Select(seq => (long)seq).Where(viewer.Sees).ToList();
        var found = await Slices.SendAsync(new SearchMessages(actor, Word, null, null, null, null, null, 100));
        Assert.That(found.Items.Select(item => item.Message.Seq), Is.EquivalentTo(seen.Where(said.ContainsKey)));
        if (!viewer.IsIn)
        {
            Assert.That(await RefusalAsync(() => HistoryAsync()), Is.EqualTo(ProblemCodes.NotFound));
            return;
        }

        var history = await HistoryAsync();
        Assert.That(history.Select(message => message.Seq), Is.EqualTo(seen));
        foreach (var message in history.Where(message => said.ContainsKey(message.Seq)))
            Assert.That(message.ReplyTo?.Seq, Is.EqualTo(said[message.Seq].ReplyTo is { } to && viewer.Sees(to) ? to : (long?)null));
        Assert.That((await Slices.ViewAsync(viewer.Id, group)).LastMessage is not null, Is.EqualTo(viewer.Sees(newest)));
        foreach (var (seq, (id, _)) in said)
        {
            var code = await CodeAsync(() => Slices.SendAsync(new GetMessage(actor, group, id)));
            Assert.That(code, Is.EqualTo(viewer.Sees(seq) ? "" : ProblemCodes.NotFound));
        }

        async Task<IReadOnlyList<MessageView>> HistoryAsync() =>
            (await Slices.SendAsync(new ListMessages(actor, group, null, null, null, 100))).Items;
    }

    // One step by somebody who takes part; the owner stays.
    private async Task DoAsync(Random random)
    {
        var newest = await NewestAsync();
        var who = Pick(viewers.Where(viewer => viewer.IsIn));
        var actor = new Actor(who.Id);
        var seq = said.Keys.Where(who.Sees).Order().ToList() is { Count: > 0 } seqs ? seqs[random.Next(seqs.Count)] : (long?)null;
        switch (random.Next(13))
        {
            case <= 4:
                await SayAsync(actor, seq);
                break;
            case 5 when seq is { } one:
                await Slices.SendAsync(new DeleteMessage(actor, group, said[one].Id, DeleteScope.Me, null, null));
                who.Hidden.Add(one);
                break;
            case 6 when seq is { } one && viewers[0].Sees(one):
                await Slices.SendAsync(new DeleteMessage(new Actor(viewers[0].Id), group, said[one].Id, DeleteScope.Everyone, null, null));
                said.Remove(one);
                break;
            case 7 when random.Next(2) == 0:
                await Slices.SendAsync(new ClearHistory(actor, group, LeavesInbox: false));
                who.Visibility = new(newest);
                break;
            case 8 when who != viewers[0]:
                await Slices.SendAsync(new LeaveConversation(actor, group));
                who.IsIn = false;
                break;
            case 10 or 11:
                await Slices.SendAsync(new MarkRead(actor, group, random.Next((int)newest + 1)));
                break;
            case 12 when seq is { } one:
                await Slices.SendAsync(new MarkUnread(actor, group, one));
                break;
            case 9 when viewers.Exists(viewer => !viewer.IsIn):
                var (back, sinceJoin) = (Pick(viewers.Where(viewer => !viewer.IsIn)), random.Next(2) == 0);
                await Slices.SendAsync(new UpdateConversation(
                    Actor.Service, group, null, default, default, default, default, default,
                    new(new PolicyChange { History = new(sinceJoin ? HistoryAccess.SinceJoin : HistoryAccess.Full) })));
                await Slices.SendAsync(new AddParticipants(Actor.Service, group, [back.Id], null));
                (back.IsIn, back.Visibility) = (true, sinceJoin ? new Visibility(newest) : back.Visibility);
                break;
        }

        Viewer Pick(IEnumerable<Viewer> some) => some.ElementAt(random.Next(some.Count()));
    }

    private async Task SayAsync(Actor actor, long? replyTo)
    {
        var sent = (await Slices.SendAsync(new SendMessage(
            actor, group, new MessageContent(Text: Word, ReplyToId: replyTo is { } seq ? said[seq].Id : null)))).Message;
        said.Add(sent.Seq, (sent.Id, replyTo));
    }

    private Task<long> NewestAsync() =>
        Slices.ScalarAsync<long>("SELECT last_seq FROM conversations WHERE id = @Id", new { Id = group.Value });

    private sealed record UnreadRow(UserId UserId, long ClearedSeq, long LastReadSeq, bool Pending, long Unread)
    {
        public Participant ToParticipant() => new(default, UserId, new ParticipantState(ParticipantRole.Member, default, JoinedSeq: 0)
        {
            LastReadSeq = LastReadSeq,
            IsPending = Pending,
            Own = OwnState.Unchanged with { ClearedSeq = ClearedSeq },
        });
    }

    private sealed record SeenRow(UserId UserId, long Seq, bool Seen, bool ReplySeen, bool NewestSeen);

    private sealed class Viewer(UserId id)
    {
        public UserId Id { get; } = id;

        public bool IsIn { get; set; }

        public Visibility Visibility { get; set; }

        public HashSet<long> Hidden { get; } = [];

        public bool Sees(long seq) => IsIn && Visibility.Shows(seq, Hidden.Contains(seq));
    }
}
