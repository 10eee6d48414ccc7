using Messaging.Application.Common;
using Messaging.Application.Revocations;
using Messaging.Application.Users;
using Messaging.Domain.Common;

namespace Messaging.Application.Tests.Users;

public sealed class UserTests : SliceFixture
{
    [Test]
    public async Task A_user_is_created_once_and_then_replaced()
    {
        var id = NewId();
        var created = await Slices.SendAsync(new PutUser(id, "Ada", "Ada", "L.", "https://host.test/ada", new JsonText("""{"a":1}""")));
        var replaced = await Slices.SendAsync(new PutUser(id, "Ada Lovelace", null, null, null, null));

        Assert.That((created.Created, replaced.Created), Is.EqualTo((true, false)));
        Assert.That(
            replaced.Value,
            Is.EqualTo(
                new UserProfile(id, "Ada Lovelace", null, null, null, null, null, created.Value.CreatedAt, replaced.Value.UpdatedAt)));
    }

    [TestCase("plain")]
    [TestCase("Ünï©ødé 🦊👨‍👩‍👧‍👦 العربية ‮rtl")]
    [TestCase("'; DROP TABLE users; --")]
    [TestCase("%_\\")]
    [TestCase(" \t\r\n")]
    public async Task Any_text_comes_back_verbatim(string text)
    {
        var id = NewId();
        await Slices.SendAsync(new PutUser(id, text, text, text, null, null));

        var user = await Slices.SendAsync(new GetUser(Actor.Service, id));

        Assert.That(new[] { user.DisplayName, user.FirstName, user.LastName }, Is.All.EqualTo(text));
    }

    [Test]
    public async Task A_user_that_there_is_not_is_not_found() =>
        Assert.That(await RefusalAsync(() => Slices.SendAsync(new GetUser(Actor.Service, NewId()))), Is.EqualTo("not-found"));

    [Test]
    public async Task Many_users_are_created_and_replaced_in_the_order_given()
    {
        var ids = Enumerable.Range(0, 3).Select(_ => NewId()).OrderDescending().ToList();
        await Slices.SendAsync(new PutUser(ids[1], "Old", "Old", null, null, new JsonText("{}")));

        var users = await Slices.SendAsync(new PutUsers([.. ids.Select((id, i) => Profile(id, $"New {i}"))]));

        Assert.That(users.Select(u => (u.UserId, u.DisplayName)), Is.EqualTo(ids.Select((id, i) => (id, (string?)$"New {i}"))));
        Assert.That(users[1].FirstName, Is.Null);
    }

    [Test]
    public async Task Of_many_users_all_or_none_are_written()
    {
        var (good, twice) = (NewId(), NewId());

        await RefusalAsync(() => Slices.SendAsync(new PutUsers([Profile(good, "a"), Profile(twice, "b"), Profile(twice, "c")])));

        Assert.That(await Slices.SendAsync(new IsKnownUser(good)), Is.False);
    }

    [Test]
    public async Task Writing_nobody_is_in_order() =>
        Assert.That(await Slices.SendAsync(new PutUsers([])), Is.Empty);

    [Test]
    public async Task Lists_of_the_same_users_in_opposite_orders_do_not_wait_for_each_other()
    {
        var users = Enumerable.Range(0, 200).Select(_ => Profile(NewId(), "x")).ToList();

        await Task.WhenAll(Enumerable.Range(0, 16).Select(i => Task.Run(() =>
            Slices.SendAsync(new PutUsers(i % 2 == 0 ? users : [.. Enumerable.Reverse(users)])))));

        Assert.That(await Slices.SendAsync(new IsKnownUser(users[199].UserId)), Is.True);
    }

    [Test]
    public async Task Profiles_are_listed_in_the_order_asked_for_without_strangers()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());

        var page = await Slices.SendAsync(new ListUsers(Actor.Service, $"{bob},{NewId()},{ada},{bob}"));

        Assert.That(page.Items.Select(u => u.UserId), Is.EqualTo(new[] { bob, ada }));
        Assert.That(page.NextCursor, Is.Null);
    }

    [Test]
    public async Task Twenty_simultaneous_first_sights_make_one_user()
    {
        var id = NewId();

        await Task.WhenAll(Enumerable.Range(0, 20)
            .Select(i => Task.Run(() => Slices.SendAsync(new ProvisionUser(id, new Credential(id, null, null, null), $"Ada {i}", null)))));

        Assert.That(await Slices.ScalarAsync<long>("SELECT count(*) FROM users WHERE id = @Id", new { Id = id.Value }), Is.EqualTo(1));
    }

    static UserId NewId() => new($"u-{Guid.NewGuid():N}");

    static PutUser Profile(UserId id, string name) => new(id, name, null, null, null, null);
}
