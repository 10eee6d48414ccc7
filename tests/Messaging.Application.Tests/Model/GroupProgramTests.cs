using CsCheck;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Messages;
using Messaging.Application.Participants;
using Messaging.Application.Receipts;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Messages;
using Messaging.Domain.Participants;
using Messaging.Testing;
using MediatR;
using NodaTime;

namespace Messaging.Application.Tests.Model;

/// <summary>
/// Random programs of all that can be done in a group, each run by the service and by <see cref="GroupModel"/>: after every step both have
/// answered the same, and every user sees the same.
/// </summary>
public sealed class GroupProgramTests : SliceFixture
{
    private const int Users = 5;
    private const int Founders = 3;
    private const int Steps = 60;

    // Each step is decided by a number of its own, and by where the program has come to.
    private static readonly Gen<int> Step = Gen.Int[0, int.MaxValue];

    private static readonly Instant Forever = Instant.FromUtc(9999, 12, 31, 23, 59, 59);

    [Test]
    public Task The_service_does_what_the_model_says() => Step.CheckAsync(Steps, cases: 4, DoesWhatTheModelSaysAsync);

    private async Task DoesWhatTheModelSaysAsync(int[] steps)
    {
        var users = (await Slices.UsersAsync(Users)).Order().ToList();
        var id = await Slices.GroupAsync(users[0], [.. users.Skip(1).Take(Founders - 1)]);
        var model = new GroupModel(Users, Founders);
        var ids = new Dictionary<long, MessageId>();
        var program = new List<string>();

        foreach (var step in steps)
        {
            var (name, predicted, command) = await NextAsync(new Random(step), model, users, id, ids);
            program.Add(name);
            var answered = await CodeAsync(() => command());
            Assert.That(answered, Is.EqualTo(predicted), () => Told(program));
            for (var user = 0; user < Users; user++)
                Assert.That(await SeeAsync(users, user, id), Is.EqualTo(model.See(user)), () => $"user {user}\n{Told(program)}");
        }
    }

    private async Task<(string Name, string Predicted, Func<Task> Command)> NextAsync(
        Random random, GroupModel model, List<UserId> users, ConversationId id, Dictionary<long, MessageId> ids)
    {
        // Mostly those who are in, and mostly the one who may do most.
        var who = random.Next(3) == 0 ? random.Next(Users) : random.Next(Founders - 1);
        var (actor, target, seq) = (new Actor(users[who]), random.Next(Users), random.NextInt64(1, model.Last + 2));
        int[] mentions = random.Next(2) == 0 ? [] : [random.Next(Users)];
        UserId[] named = [.. mentions.Select(user => users[user])];
        var (flag, other, third) = (random.Next(2) == 0, random.Next(2) == 0, random.Next(2) == 0);
        switch (random.Next(28))
        {
            case <= 4:
                return Of($"send {who} {string.Join(',', mentions)}", model.Send(who, mentions, all: false),
                    new SendMessage(actor, id, new MessageContent(Text: "hi", Mentions: named)));
            case 5:
                return Of($"send {who} @all", model.Send(who, [], all: true),
                    new SendMessage(actor, id, new MessageContent(Text: "hi", Mentions: [MentionRules.Everybody])));
            case 6:
                return Of("note", model.Note(),
                    new SendMessage(Actor.Service, id, new MessageContent(Type: MessageType.System, Text: "note")));
            case 7:
                return Of($"read {who} {seq}", model.Read(who, flag ? null : seq), new MarkRead(actor, id, flag ? null : seq));
            case 8:
                return Of($"unread {who} {seq}", model.MarkUnread(who, seq), new MarkUnread(actor, id, seq));
            case 9 or 10:
            {
                int[] added = flag ? [target] : [.. new[] { target, (target + 1) % Users }];
                return Of(
                    $"add {who} {string.Join(',', added)} {other}", model.Add(who, added, asAdmins: other),
                    new AddParticipants(actor, id, [.. added.Select(user => users[user])], other ? ParticipantRole.Admin : null));
            }
            case 11:
                return Of($"remove {who} {target}", model.Remove(who, target), new RemoveParticipant(actor, id, users[target]));
            case 12:
                return Of($"leave {who}", model.Leave(who), new LeaveConversation(actor, id));
            case 13:
                return Of($"ban {who} {target}", model.Ban(who, target), new BanParticipant(actor, id, users[target]));
            case 14:
                return Of($"unban {who} {target}", model.Unban(who, target), new UnbanParticipant(actor, id, users[target]));
            case 15:
            {
                var role = flag ? ParticipantRole.Admin : ParticipantRole.Member;
                return Of($"role {who} {target} {role}", model.ChangeRole(who, target, role),
                    new ChangeRole(actor, id, users[target], role));
            }
            case 16:
                return Of($"hand over {who} {target}", model.HandOver(who, target), new HandOverGroup(actor, id, users[target]));
            case 17:
                return Of($"close {who}", model.Close(who), new CloseConversation(actor, id, CloseReason.Manual, null));
            case 18:
                return Of($"reopen {who}", model.Reopen(who), new ReopenConversation(actor, id));
            case 19:
                return Of($"archive {who} {flag}", model.Archive(who, flag && other), new ArchiveConversation(actor, id, flag && other));
            case 20:
                return Of(
                    $"rules {who} {flag} {other} {third}", model.SetRules(who, flag && other, other, third),
                    new UpdateConversation(actor, id, null, default, default, default, default, default, new(new PolicyChange
                    {
                        Posting = new(flag && other ? AllowedTo.Admins : AllowedTo.Everyone),
                        Adding = new(other ? AllowedTo.Everyone : AllowedTo.Admins),
                        History = new(third ? HistoryAccess.SinceJoin : HistoryAccess.Full),
                    })));
            case 21:
                return Of($"archive own {who} {flag}", model.Settings(who, flag, null, null),
                    new UpdateSettings(actor, id, new SettingsChange { Archived = new(flag) }));
            case 22:
                return Of($"star {who} {flag}", model.Settings(who, null, flag, null),
                    new UpdateSettings(actor, id, new SettingsChange { Starred = new(flag) }));
            case 23:
                return Of($"mute {who} {flag}", model.Settings(who, null, null, flag),
                    new UpdateSettings(actor, id, new SettingsChange { MutedUntil = new(flag ? Forever : null) }));
            case 24:
                return Of($"clear {who} {flag}", model.Clear(who, flag), new ClearHistory(actor, id, LeavesInbox: flag));
            case 25:
                return Of($"edit {who} {seq} {string.Join(',', mentions)}", model.Edit(who, seq, mentions),
                    new EditMessage(actor, id, await IdAsync(), null, default, default, new(named)));
            case 26:
                return Of($"delete {who} {seq}", model.Delete(who, seq),
                    new DeleteMessage(actor, id, await IdAsync(), DeleteScope.Everyone, null, null));
            default:
                return Of($"hide {who} {seq}", model.HideMessage(who, seq),
                    new DeleteMessage(actor, id, await IdAsync(), DeleteScope.Me, null, null));
        }

        (string, string, Func<Task>) Of<T>(string name, string predicted, IRequest<T> request) =>
            (name, predicted, () => Slices.SendAsync(request));

        // A message that is not there has an id that nothing has.
        async Task<MessageId> IdAsync()
        {
            if (!ids.TryGetValue(seq, out var known))
            {
                var found = await Slices.SqlAsync(session => session.QueryAsync<MessageId>(
                    "SELECT id FROM messages WHERE conversation_id = @Id AND seq = @Seq", new { Id = id.Value, Seq = seq },
                    CancellationToken.None));
                known = found.Count > 0 ? ids[seq] = found[0] : new MessageId(Guid.CreateVersion7());
            }
            return known;
        }
    }

    // The service's answers in the words of GroupModel.See.
    private async Task<string> SeeAsync(List<UserId> users, int user, ConversationId id)
    {
        var actor = new Actor(users[user]);
        if (await CodeAsync(() => Slices.SendAsync(new GetConversation(actor, id))) == ProblemCodes.NotFound)
        {
            Assert.That(await FiltersAsync(actor, id), Is.Empty);
            Assert.That(await CodeAsync(() => Slices.SendAsync(new ListMessages(actor, id, null, null, null, 100))),
                Is.EqualTo(ProblemCodes.NotFound));
            return "nothing";
        }
        var view = await Slices.SendAsync(new GetConversation(actor, id));
        var history = await Slices.SendAsync(new ListMessages(actor, id, null, null, null, 100));
        var badge = await Slices.SendAsync(new GetUnread(actor));
        var muted = badge.Muted;
        var me = view.Me!;
        var people = view.Participants.Select(p => $"{users.IndexOf(p.UserId)}:{p.Role}");
        Assert.That(view.ParticipantCount, Is.EqualTo(view.Participants.Count));
        Assert.That(view.OwnerId, Is.EqualTo(view.Participants.Single(p => p.Role is ParticipantRole.Owner).UserId));
        var last = view.LastMessage is { } preview ? $"{preview.Seq}{(preview.Deleted ? " deleted" : "")}" : "none";
        var seen = history.Items.Select(message => $"{message.Seq}{(message.Deleted is null ? "" : "x")}" + Mentions(message));
        return $"""
            people {string.Join(' ', people)}
            closed {view.Closed is not null} archived {view.Archived} last {view.LastSeq}: {last}
            me {me.Role} read {me.LastReadSeq} cleared {me.ClearedSeq} unread {me.UnreadCount} mentions {me.MentionCount}
            archived {me.Archived} starred {me.Starred} muted {me.MutedUntil is not null}
            inbox {string.Join(' ', await FiltersAsync(actor, id))}
            badge {badge.Conversations} {badge.Messages} {badge.Mentions} | {muted.Conversations} {muted.Messages} {muted.Mentions}
            history {string.Join(' ', seen)}
            """;

        string Mentions(MessageView message)
        {
            var named = message.Mentions.Where(mention => mention != MentionRules.Everybody).Select(mention => users.IndexOf(mention))
                .ToList();
            return named.Count > 0 ? "@" + string.Join(',', named) : "";
        }
    }

    private async Task<List<string>> FiltersAsync(Actor actor, ConversationId id)
    {
        var filters = new List<string>();
        foreach (var filter in Enum.GetValues<InboxFilter>())
        {
            var page = await Slices.SendAsync(new ListInbox(actor, filter, null, null, null, null, 30));
            if (page.Items.Any(conversation => conversation.Id == id))
                filters.Add(filter.ToString().ToLowerInvariant());
        }
        return filters;
    }

    private static string Told(List<string> program) => $"step {program.Count}:\n{string.Join('\n', program)}";
}
