using CsCheck;
using MediatR;
using Messaging.Application.Contacts;
using Messaging.Application.Conversations;
using Messaging.Application.Messages;
using Messaging.Application.Receipts;
using Messaging.Domain.Common;
using Messaging.Domain.Contacts;
using Messaging.Domain.Conversations;
using Messaging.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Application.Tests.Model;

/// <summary>
/// Random programs of what two people do with and to each other, each run by the service and by <see cref="PairModel"/>, under each of the
/// rules for first messages: after every step both have answered the same, and each of the two sees the same.
/// </summary>
[TestFixture(DirectMessages.Anyone)]
[TestFixture(DirectMessages.Requests)]
[TestFixture(DirectMessages.Contacts)]
public sealed class PairProgramTests(DirectMessages policy) : SliceFixture
{
    private const int Steps = 60;

    // Each step is decided by a number of its own, and by where the program has come to.
    private static readonly Gen<int> Step = Gen.Int[0, int.MaxValue];

    private static readonly ConversationContext?[] Contexts = [null, new("posting", "1")];

    protected override void Add(IServiceCollection services) => services.AddSingleton(new PolicySettings { DirectMessages = policy });

    [Test]
    public Task The_service_does_what_the_model_says() => Step.CheckAsync(Steps, cases: 4, DoesWhatTheModelSaysAsync);

    private async Task DoesWhatTheModelSaysAsync(int[] steps)
    {
        var users = await Slices.UsersAsync(2);
        var model = new PairModel(policy, Contexts.Length);
        var talks = new ConversationId?[Contexts.Length];
        var program = new List<string>();

        foreach (var step in steps)
        {
            var (name, predicted, command) = await NextAsync(new Random(step), model, users, talks);
            program.Add(name);
            Assert.That(await CodeAsync(() => command()), Is.EqualTo(predicted), () => Told(program));
            for (var user = 0; user < 2; user++)
                Assert.That(await SeeAsync(users, user, talks), Is.EqualTo(model.See(user)), () => $"user {user}\n{Told(program)}");
        }
    }

    private async Task<(string Name, string Predicted, Func<Task> Command)> NextAsync(
        Random random, PairModel model, IReadOnlyList<UserId> users, ConversationId?[] talks)
    {
        var (who, context, flag) = (random.Next(2), random.Next(Contexts.Length), random.Next(2) == 0);
        var (actor, other) = (new Actor(users[who]), users[1 - who]);
        switch (random.Next(13))
        {
            case <= 2:
                return ($"open {who} {context} {flag}", model.Open(who, context, flag),
                    async () => talks[context] = (await Slices.SendAsync(
                    new OpenDirect(actor, other, Contexts[context], flag ? new MessageContent(Text: "hi") : null))).Value.Id);
            case <= 5:
                return Of($"send {who} {context}", model.Send(who, context),
                    new SendMessage(actor, IdOf(context), new MessageContent(Text: "hi")));
            case 6:
                return Of($"read {who} {context}", model.Read(who, context), new MarkRead(actor, IdOf(context), null));
            case 7:
                return Of($"block {who}", model.Block(who, isBlocked: true), new BlockUser(actor, other));
            case 8:
                return Of($"unblock {who}", model.Block(who, isBlocked: false), new UnblockUser(actor, other));
            case 9:
                return Of($"ask {who}", model.Ask(who), new RequestContact(actor, other));
            case 10:
                return Of($"answer {who} {flag}", model.AnswerContact(who, flag), new AnswerContact(actor, other, flag));
            case 11:
                return Of($"remove {who}", model.RemoveContact(who), new RemoveContact(actor, other));
            default:
            {
                var id = await Slices.SqlAsync(session => session.QueryAsync<Guid>(
                    "SELECT id FROM message_requests WHERE from_id = ANY(@Users) ORDER BY id DESC LIMIT 1",
                    new { Users = users.Select(user => user.Value).ToArray() }, CancellationToken.None));
                return Of(
                    $"answer request {who} {flag}", model.AnswerRequest(who, flag),
                    new AnswerRequest(actor, id.Count > 0 ? id[0] : Guid.CreateVersion7(), flag));
            }
        }

        (string, string, Func<Task>) Of<T>(string name, string predicted, IRequest<T> request) =>
            (name, predicted, () => Slices.SendAsync(request));

        ConversationId IdOf(int number) => talks[number] ?? new ConversationId(Guid.CreateVersion7());
    }

    // The service's answers in the words of PairModel.See.
    private async Task<string> SeeAsync(IReadOnlyList<UserId> users, int user, ConversationId?[] talks)
    {
        var actor = new Actor(users[user]);
        var contact = (await Slices.SendAsync(new ListContacts(actor, null, null, 30))).Items.SingleOrDefault();
        var blocks = (await Slices.SendAsync(new ListBlocks(actor, null, 30))).Items;
        var inbox = (await Slices.SendAsync(new ListInbox(actor, InboxFilter.All, null, null, null, null, 30))).Items.Select(c => c.Id)
            .ToHashSet();
        var mine = new List<string>();
        for (var context = 0; context < talks.Length; context++)
        {
            if (talks[context] is not { } id)
                continue;
            var view = await Slices.ViewAsync(users[user], id);
            mine.Add($"{context}: last {view.LastSeq} read {view.Me!.LastReadSeq} unread {view.Me.UnreadCount} in inbox "
                + $"{inbox.Contains(id)}");
        }
        var badge = await Slices.SendAsync(new GetUnread(actor));
        var asked = new List<MessageRequestView>();
        foreach (var direction in Enum.GetValues<RequestDirection>())
            asked.AddRange((await Slices.SendAsync(new ListRequests(actor, direction, null, null, 100))).Items);
        var requests = asked.OrderByDescending(r => r.Id)
            .Select(r => $"{Array.IndexOf(talks, r.ConversationId)} from {Number(r.From.UserId)} {r.Status}");
        return $"""
            contact {(contact is null ? "none" : $"{contact.Status} by {Number(contact.RequestedBy)}")}; blocks {blocks.Count > 0}
            {string.Join('\n', mine)}
            badge {badge.Conversations} {badge.Messages}
            requests {string.Join(", ", requests)}
            """;

        int Number(UserId id) => id == users[0] ? 0 : 1;
    }

    private static string Told(List<string> program) => $"step {program.Count}:\n{string.Join('\n', program)}";
}
