using Messaging.Application.Messages;
using Messaging.Application.Reactions;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Application.Tests.Writing;

/// <summary>What is no message and goes through the one writer all the same.</summary>
public sealed class ChangeTests : SliceFixture
{
    private readonly ManualTime time = new();

    private static readonly string[] Kinds = ["react", "unreact", "pin", "unpin"];

    [TestCaseSource(nameof(Kinds))]
    public async Task A_change_of_a_held_conversation_delays_only_itself(string kind)
    {
        var (held, free) = (await MessageAsync(), await MessageAsync());

        var change = await HoldingAsync(held.Message.ConversationId, LockSql, async () =>
        {
            var waiting = ChangeAsync(kind, held.Ada, held.Message);
            for (var i = 0; i < 5; i++)
                await ChangeAsync(kind, free.Ada, free.Message);
            Assert.That(waiting.IsCompleted, Is.False);
            return waiting;
        });

        await Assert.ThatAsync(() => change, Throws.Nothing);
    }

    [TestCaseSource(nameof(Kinds))]
    public async Task Whose_change_waits_for_too_long_is_told_to_come_again(string kind)
    {
        var (ada, message) = await MessageAsync();

        var problem = await HoldingAsync(message.ConversationId, LockSql, async () =>
        {
            var waiting = ChangeAsync(kind, ada, message);
            time.Advance(ConversationWriter.Patience);
            return await ProblemAsync(() => waiting);
        });

        Assert.That((problem.Code, problem.RetryAfterSeconds), Is.EqualTo((ProblemCodes.Unavailable, 1)));
        Assert.That(await EventsAsync(message), Is.EqualTo(new[] { "message:new" }));
    }

    [Test]
    public async Task Sixty_four_reactions_to_one_message_in_one_batch_are_counted_one_after_the_other()
    {
        var users = await Slices.UsersAsync(64);
        var message = await Slices.TextAsync(users[0], await Slices.GroupAsync(users[0], [.. users.Skip(1)]));

        await Task.WhenAll(await HoldingAsync(message.ConversationId, LockSql, () => Task.FromResult(
            users.Select(user => Slices.SendAsync(new React(new Actor(user), message.ConversationId, message.Id, "👍"))).ToList())));

        var shown = await Slices.SendAsync(new GetMessage(new Actor(users[0]), message.ConversationId, message.Id));
        Assert.That(shown.Reactions.Select(reaction => (reaction.Count, reaction.UserIds.Count)), Is.EqualTo(new[] { (64, 10) }));
        Assert.That(await CountsToldAsync(message), Is.EqualTo(Enumerable.Range(1, 64)));
    }

    [Test]
    public async Task A_pin_and_its_end_in_one_batch_are_decided_one_after_the_other()
    {
        var (ada, message) = await MessageAsync();
        string[] program = ["pin", "pin", "unpin", "unpin", "pin"];

        await Task.WhenAll(await HoldingAsync(message.ConversationId, LockSql, () => Task.FromResult(
            program.Select(kind => ChangeAsync(kind, ada, message)).ToList())));

        Assert.That((await EventsAsync(message)).Count(type => type == "message:pinned"), Is.EqualTo(3));
        Assert.That((await Slices.SendAsync(new ListPins(new Actor(ada), message.ConversationId, null, 10))).Items, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_message_and_what_others_do_in_one_batch_have_their_places_one_after_the_other()
    {
        var (ada, message) = await MessageAsync();

        await Task.WhenAll(await HoldingAsync<List<Task>>(message.ConversationId, LockSql, () => Task.FromResult<List<Task>>(
        [
            ChangeAsync("react", ada, message), Slices.TextAsync(ada, message.ConversationId), ChangeAsync("pin", ada, message),
        ])));

        Assert.That(await EventsAsync(message), Is.EqualTo(new[] { "message:new", "message:reaction", "message:new", "message:pinned" }));
        Assert.That(
            await Slices.ScalarAsync<bool>(
                """
                SELECT c.event_no = max(o.event_no) AND c.last_event_at = max(o.occurred_at) AND count(DISTINCT o.occurred_at) = 4
                FROM outbox o
                JOIN conversations c ON c.id = o.conversation_id
                WHERE c.id = @Id AND o.type LIKE 'message:%' AND o.event_no IS NOT NULL
                GROUP BY c.id
                """,
                new { Id = message.ConversationId.Value }),
            Is.True);
    }

    protected override void Add(IServiceCollection services) => services.AddSingleton<TimeProvider>(time);

    private Task ChangeAsync(string kind, UserId user, MessageView message)
    {
        var (actor, id) = (new Actor(user), message.ConversationId);
        return kind switch
        {
            "react" => Slices.SendAsync(new React(actor, id, message.Id, "👍")),
            "unreact" => Slices.SendAsync(new Unreact(actor, id, message.Id, "👍")),
            "pin" => Slices.SendAsync(new PinMessage(actor, id, message.Id)),
            "unpin" => Slices.SendAsync(new UnpinMessage(actor, id, message.Id)),
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, message: null),
        };
    }

    private async Task<(UserId Ada, MessageView Message)> MessageAsync()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        return (ada, await Slices.TextAsync(ada, await Slices.DirectAsync(ada, bob)));
    }

    private Task<List<string>> EventsAsync(MessageView message) => Slices.SqlAsync(session => session.QueryAsync<string>(
        "SELECT type FROM outbox WHERE conversation_id = @Id AND event_no IS NOT NULL AND user_id IS NULL AND type LIKE 'message:%' ORDER BY event_no",
        new { Id = message.ConversationId.Value }, CancellationToken.None));

    private Task<List<int>> CountsToldAsync(MessageView message) => Slices.SqlAsync(session => session.QueryAsync<int>(
        "SELECT (payload ->> 'count')::integer FROM outbox WHERE conversation_id = @Id AND type = 'message:reaction' ORDER BY event_no",
        new { Id = message.ConversationId.Value }, CancellationToken.None));
}
