using Messaging.Application.Presence;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Tests.Presence;

public sealed class PresenceTests : SliceFixture
{
    [Test]
    public async Task Presence_is_of_oneself_and_of_people_with_whom_one_shares_a_conversation()
    {
        var (ada, bob, carl, eve) = (await Slices.UserAsync(), await Slices.UserAsync(), await Slices.UserAsync(),
            await Slices.UserAsync());
        await Slices.DirectAsync(ada, bob);
        await Slices.GroupAsync(carl, ada);
        await Slices.GroupAsync(carl, eve);

        Assert.That(await KnownAsync(ada, eve, carl, bob, ada, new UserId("nobody"), bob), Is.EqualTo((UserId[])[carl, bob, ada]));
        Assert.That(await KnownAsync(eve, ada, bob, carl), Is.EqualTo((UserId[])[carl]));
    }

    [Test]
    public async Task Nobody_who_has_left_or_not_accepted_counts()
    {
        var (ada, bob, carl) = (await Slices.UserAsync(), await Slices.UserAsync(), await Slices.UserAsync());
        var group = await Slices.GroupAsync(ada, bob, carl);
        await Slices.ExecuteAsync(
            """
            UPDATE participants SET left_at = now() WHERE conversation_id = @Id AND user_id = @Bob;
            UPDATE participants SET pending = true WHERE conversation_id = @Id AND user_id = @Carl
            """,
            new { Id = group.Value, Bob = bob.Value, Carl = carl.Value });

        foreach (var (one, other) in ((UserId, UserId)[])[(ada, bob), (bob, ada), (ada, carl), (carl, ada)])
            Assert.That(await KnownAsync(one, other), Is.Empty);
    }

    [TestCase("unsent")]
    [TestCase("pending")]
    public async Task Nobody_is_seen_by_opening_a_conversation_that_has_not_been_accepted(string request)
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());
        var direct = await Slices.DirectAsync(ada, bob);
        await Slices.ExecuteAsync(
            "UPDATE conversations SET request = @Request WHERE id = @Id", new { Id = direct.Value, Request = request });

        Assert.That(await KnownAsync(ada, bob), Is.Empty);
        Assert.That(await KnownAsync(bob, ada), Is.Empty);
    }

    [Test]
    public async Task The_service_knows_of_everyone()
    {
        var (ada, bob) = (await Slices.UserAsync(), await Slices.UserAsync());

        var seen = await Slices.SendAsync(new GetLastSeen(Actor.Service, [ada.Value, bob.Value, "nobody"]));

        Assert.That(seen, Is.EqualTo((LastSeen[])[new(ada, null), new(bob, null)]));
    }

    [Test]
    public async Task Who_has_many_conversations_and_their_partners_find_each_other_either_way()
    {
        var (desk, customer, stranger) = (await Slices.UserAsync(), await Slices.UserAsync(), await Slices.UserAsync());
        await Slices.GroupAsync(desk, customer);
        await Slices.ExecuteAsync(
            """
            WITH c AS (
                INSERT INTO conversations (id, type, participant_count, created_at, updated_at, last_event_at, last_activity_at)
                SELECT gen_random_uuid(), 'group', 1, now(), now(), now(), now() FROM generate_series(1, 400)
                RETURNING id
            )
            INSERT INTO participants (conversation_id, user_id, role, joined_at) SELECT id, @Desk, 'member', now() FROM c
            """,
            new { Desk = desk.Value });

        Assert.That(await KnownAsync(desk, customer, stranger), Is.EqualTo((UserId[])[customer]));
        Assert.That(await KnownAsync(customer, desk, stranger), Is.EqualTo((UserId[])[desk]));
    }

    [Test]
    public async Task Up_to_two_hundred_may_be_asked_for()
    {
        var ada = await Slices.UserAsync();

        foreach (var ids in (string[][])[[], ["no such id!"], [.. Enumerable.Range(0, 201).Select(i => $"{i}")]])
            Assert.That(await RefusalAsync(() => Slices.SendAsync(new GetLastSeen(new Actor(ada), ids))), Is.EqualTo("invalid-request"));
        Assert.That(await Slices.SendAsync(new GetLastSeen(new Actor(ada), [.. Enumerable.Range(0, 200).Select(i => $"{i}")])), Is.Empty);
    }

    [Test]
    public async Task Watches_of_people_without_a_conversation_end()
    {
        var (ada, bob, eve) = (await Slices.UserAsync(), await Slices.UserAsync(), await Slices.UserAsync());
        await Slices.DirectAsync(ada, bob);

        var ended = await Slices.SendAsync(
            new ListUnrelated([new(ada.Value, bob.Value), new(ada.Value, eve.Value), new(eve.Value, ada.Value)]));

        Assert.That(ended, Is.EquivalentTo((Watch[])[new(ada.Value, eve.Value), new(eve.Value, ada.Value)]));
    }

    [Test]
    public async Task Last_seen_only_rises_however_many_write_at_once()
    {
        var users = await Slices.UsersAsync(20);
        var now = Instant.FromUtc(2026, 11, 25, 12, 0);

        await Task.WhenAll(Enumerable.Range(0, 50).Select(i => Slices.SendAsync(new RecordLastSeen(
            [.. users.OrderBy(_ => Random.Shared.Next()).Select(user => KeyValuePair.Create(user.Value, now + Duration.FromSeconds(i))),
                new("gone", now)]))));

        var seen = await Slices.SendAsync(new GetLastSeen(Actor.Service, [.. users.Select(user => user.Value)]));
        Assert.That(seen.Select(one => one.At), Is.EqualTo(Enumerable.Repeat(now + Duration.FromSeconds(49), users.Count)));
    }

    private async Task<IEnumerable<UserId>> KnownAsync(UserId viewer, params UserId[] others) =>
        (await Slices.SendAsync(new GetLastSeen(new Actor(viewer), [.. others.Select(user => user.Value)]))).Select(seen => seen.UserId);
}
