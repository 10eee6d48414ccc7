using Messaging.Application.Common;
using Messaging.Application.Contacts;
using Messaging.Application.Conversations;
using Messaging.Application.Messages;
using Messaging.Domain.Common;
using Messaging.Domain.Contacts;
using Messaging.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Messaging.Application.Tests.Contacts;

/// <summary>A no holds for a while, and the one who asked cannot tell it from no answer.</summary>
[TestFixture(30)]
[TestFixture(2)]
public sealed class DeclineTests(int days) : SliceFixture
{
    protected override void Add(IServiceCollection services) =>
        services.AddSingleton(new PolicySettings { DirectMessages = DirectMessages.Requests, DeclineDays = days });

    [Test]
    public async Task A_declined_contact_asks_again_and_is_not_heard_until_the_days_are_over()
    {
        var (ada, bob) = await DeclinedAsync();
        await PassAsync(bob, $"{days - 1} days");

        await Slices.SendAsync(new RemoveContact(new Actor(ada), bob));
        var again = await AskAsync(ada, bob);

        Assert.That((again.Created, again.Value.Status, again.Value.RequestedBy), Is.EqualTo((true, ContactStatus.Pending, ada)));
        Assert.That((await ContactsAsync(ada)).Single().Status, Is.EqualTo(ContactStatus.Pending));
        Assert.That((await ContactsAsync(bob), await HeardAsync(bob, "contact:requested")), Is.EqualTo((Array.Empty<ContactView>(), 1L)));
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task After_those_days_the_question_reaches_the_other_again(bool takesBack)
    {
        var (ada, bob) = await DeclinedAsync();
        await PassAsync(bob);

        if (takesBack)
            await Slices.SendAsync(new RemoveContact(new Actor(ada), bob));
        var again = await AskAsync(ada, bob);

        Assert.That((again.Created, (await ContactsAsync(bob)).Single().RequestedBy), Is.EqualTo((true, ada)));
        Assert.That(await HeardAsync(bob, "contact:requested"), Is.EqualTo(2));
    }

    [Test]
    public async Task A_no_to_a_contact_is_one_to_a_first_message_too()
    {
        var (ada, bob) = await DeclinedAsync();

        await Slices.TextAsync(ada, await Slices.DirectAsync(ada, bob));

        Assert.That((await RequestsAsync(ada, RequestDirection.Out)).Single().Status, Is.EqualTo(RequestStatus.Pending));
        Assert.That((await RequestsAsync(bob, RequestDirection.In)).Single().Status, Is.EqualTo(RequestStatus.Declined));
        Assert.That(await HeardAsync(bob, "request:received"), Is.Zero);
    }

    [Test]
    public async Task After_those_days_a_first_message_reaches_the_other_too()
    {
        var (ada, bob) = await DeclinedAsync();
        await PassAsync(bob);

        await Slices.TextAsync(ada, await Slices.DirectAsync(ada, bob));

        Assert.That((await RequestsAsync(bob, RequestDirection.In)).Single().Status, Is.EqualTo(RequestStatus.Pending));
        Assert.That(await HeardAsync(bob, "request:received"), Is.EqualTo(1));
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task Who_waits_for_an_answer_to_a_first_message_does_not_ask_by_another_way(bool declined)
    {
        var (ada, bob) = await PairAsync();
        await Slices.TextAsync(ada, await Slices.DirectAsync(ada, bob));
        if (declined)
            await DeclineAsync(bob);

        Assert.That(await RefusalAsync(() => AskAsync(ada, bob)), Is.EqualTo(ProblemCodes.RequestPending));
        Assert.That(await HeardAsync(bob, "contact:requested"), Is.Zero);
    }

    [Test]
    public async Task Those_days_after_a_declined_message_one_asks_for_the_contact()
    {
        var (ada, bob) = await PairAsync();
        await Slices.TextAsync(ada, await Slices.DirectAsync(ada, bob));
        await DeclineAsync(bob);
        await PassAsync(bob);

        Assert.That((await AskAsync(ada, bob)).Created, Is.True);
        Assert.That((await ContactsAsync(bob)).Single().RequestedBy, Is.EqualTo(ada));
    }

    [Test]
    public async Task Who_has_declined_is_free_to_ask()
    {
        var (ada, bob) = await DeclinedAsync();

        var accepted = await AskAsync(bob, ada);
        await Slices.SendAsync(new RemoveContact(new Actor(bob), ada));

        Assert.That(accepted.Value.Status, Is.EqualTo(ContactStatus.Accepted));
        Assert.That((await AskAsync(ada, bob)).Created, Is.True);
        Assert.That(await HeardAsync(bob, "contact:requested"), Is.EqualTo(2), "a yes ends the no");
    }

    [Test]
    public async Task Twenty_questions_at_once_after_a_no_are_not_heard()
    {
        var (ada, bob) = await DeclinedAsync();

        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Task.Run(() => CodeAsync(
            () => i % 2 == 0 ? AskAsync(ada, bob) : Slices.SendAsync(new RemoveContact(new Actor(ada), bob))))));

        Assert.That((await ContactsAsync(bob), await HeardAsync(bob, "contact:requested")), Is.EqualTo((Array.Empty<ContactView>(), 1L)));
    }

    [Test]
    public async Task Asking_and_taking_back_again_and_again_is_heard_once()
    {
        var (ada, bob) = await PairAsync();
        for (var i = 0; i < 5; i++)
            await AskAndTakeBackAsync(ada, bob);
        Assert.That((await HeardAsync(bob, "contact:requested"), await HeardAsync(bob, "contact:removed")), Is.EqualTo((1L, 1L)));

        var again = await AskAsync(ada, bob);

        Assert.That((again.Created, again.Value.Status), Is.EqualTo((true, ContactStatus.Pending)));
        Assert.That((await ContactsAsync(bob)).Single().RequestedBy, Is.EqualTo(ada));
        Assert.That(await HeardAsync(bob, "contact:requested"), Is.EqualTo(1));
    }

    [Test]
    public async Task A_day_after_taking_back_one_is_heard_again()
    {
        var (ada, bob) = await PairAsync();
        await AskAndTakeBackAsync(ada, bob);
        await Slices.ExecuteAsync("UPDATE declines SET taken_back_at = taken_back_at - interval '1 day'");

        await AskAndTakeBackAsync(ada, bob);

        Assert.That((await HeardAsync(bob, "contact:requested"), await HeardAsync(bob, "contact:removed")), Is.EqualTo((2L, 2L)));
    }

    [Test]
    public async Task A_question_taken_back_is_no_answer_to_a_first_message()
    {
        var (ada, bob) = await PairAsync();
        await AskAndTakeBackAsync(ada, bob);

        await Slices.TextAsync(ada, await Slices.DirectAsync(ada, bob));

        Assert.That((await RequestsAsync(bob, RequestDirection.In)).Single().Status, Is.EqualTo(RequestStatus.Pending));
    }

    private async Task AskAndTakeBackAsync(UserId one, UserId other)
    {
        await AskAsync(one, other);
        await Slices.SendAsync(new RemoveContact(new Actor(one), other));
    }

    private async Task<(UserId Ada, UserId Bob)> DeclinedAsync()
    {
        var (ada, bob) = await PairAsync();
        await AskAsync(ada, bob);
        await Slices.SendAsync(new AnswerContact(new Actor(bob), ada, Accepts: false));
        return (ada, bob);
    }

    private async Task<(UserId Ada, UserId Bob)> PairAsync() => (await Slices.UserAsync("ada"), await Slices.UserAsync("bob"));

    private async Task DeclineAsync(UserId user) => await Slices.SendAsync(
        new AnswerRequest(new Actor(user), (await RequestsAsync(user, RequestDirection.In)).Single().Id, Accepts: false));

    private Task<Upserted<ContactView>> AskAsync(UserId one, UserId other) => Slices.SendAsync(new RequestContact(new Actor(one), other));

    private Task PassAsync(UserId user, string? time = null) => Slices.ExecuteAsync(
        """
        UPDATE declines SET declined_at = declined_at - @Time::interval WHERE user_id = @User;
        UPDATE message_requests SET answered_at = answered_at - @Time::interval WHERE to_id = @User
        """,
        new { Time = time ?? $"{days} days", User = user.Value });

    private async Task<IReadOnlyList<ContactView>> ContactsAsync(UserId user) =>
        (await Slices.SendAsync(new ListContacts(new Actor(user), Status: null, Cursor: null, Limit: 10))).Items;

    private async Task<IReadOnlyList<MessageRequestView>> RequestsAsync(UserId user, RequestDirection direction) =>
        (await Slices.SendAsync(new ListRequests(new Actor(user), direction, Status: null, Cursor: null, Limit: 10))).Items;

    private Task<long> HeardAsync(UserId user, string type) => Slices.ScalarAsync<long>(
        "SELECT count(*) FROM outbox WHERE user_id = @User AND type = @Type", new { User = user.Value, Type = type });
}
