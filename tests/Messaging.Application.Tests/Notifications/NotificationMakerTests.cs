using Dapper;
using Messaging.Application.Bus;
using Messaging.Application.Common;
using Messaging.Application.Contacts;
using Messaging.Application.Conversations;
using Messaging.Application.Events;
using Messaging.Application.Messages;
using Messaging.Application.Notifications;
using Messaging.Application.Participants;
using Messaging.Application.Push;
using Messaging.Application.Receipts;
using Messaging.Application.Users;
using Messaging.Domain.Common;
using Messaging.Domain.Messages;
using Messaging.Infrastructure.Notifications;
using Messaging.Infrastructure.Presence;
using NodaTime;
using Npgsql;

namespace Messaging.Application.Tests.Notifications;

public sealed class NotificationMakerTests : SliceFixture
{
    private static readonly UserId Everybody = new("@all");

    private readonly LivePresence presence = new(new NoOtherNodes(), TimeProvider.System, SystemClock.Instance);

    [Test]
    public async Task Messages_of_a_conversation_are_one_entry_with_their_number_and_the_newest()
    {
        var (id, users) = await GroupAsync();
        await Slices.TextAsync(users[0], id, "first");
        await FollowAsync(id);
        await Slices.TextAsync(users[0], id, "second");
        var newest = await Slices.TextAsync(users[0], id, "third");
        await FollowAsync(id);

        var entry = (await ListAsync(users[1])).Single();

        Assert.That((entry.Count, entry.MessageId, entry.SenderId, entry.Read), Is.EqualTo((3, newest.Id, users[0], false)));
        Assert.That((entry.Title, entry.Body), Is.EqualTo(("Group", "user: third (3 new messages)")));
        Assert.That(await ListAsync(users[0]), Is.Empty);
    }

    [Test]
    public async Task A_mention_has_an_entry_of_its_own_and_is_not_counted_twice()
    {
        var (id, users) = await GroupAsync();
        await Slices.TextAsync(users[0], id);
        await SendAsync(users[0], id, new MessageContent(Text: "you", Mentions: [users[1]]));
        await SendAsync(users[0], id, new MessageContent(Text: "all of you", Mentions: [Everybody]));
        await FollowAsync(id);

        Assert.That(
            (await ListAsync(users[1])).Select(entry => $"{entry.Type} {entry.Count} {entry.Body}"),
            Is.EquivalentTo(new[] { "Message 1 user: hello", "Mention 1 you", "Mention 1 all of you" }));
        Assert.That(
            (await ListAsync(users[2])).Select(entry => $"{entry.Type} {entry.Count}"),
            Is.EquivalentTo(new[] { "Message 2", "Mention 1" }));
    }

    [Test]
    public async Task A_message_after_its_entry_was_read_makes_a_new_one([Values] bool inOneBatch)
    {
        var (id, users) = await GroupAsync();
        await Slices.TextAsync(users[0], id, "before");
        await FollowAsync(id);
        await Slices.SendAsync(new MarkRead(new Actor(users[1]), id, Seq: null));
        if (!inOneBatch)
            await FollowAsync(id);
        await Slices.TextAsync(users[0], id, "after");
        await FollowAsync(id);

        Assert.That(
            (await ListAsync(users[1])).Select(entry => $"{entry.Body} {entry.Count} {entry.Read}"),
            Is.EqualTo(new[] { "user: after 1 False", "user: before 1 True" }));
        Assert.That((await ListAsync(users[1], unread: true)).Single().Body, Is.EqualTo("user: after"));
    }

    [Test]
    public async Task A_message_that_is_read_already_makes_no_entry_and_a_mention_makes_a_read_one()
    {
        var (id, users) = await GroupAsync();
        await Slices.TextAsync(users[0], id);
        await SendAsync(users[0], id, new MessageContent(Text: "you", Mentions: [users[1]]));
        await Slices.SendAsync(new MarkRead(new Actor(users[1]), id, Seq: null));
        await FollowAsync(id);

        Assert.That((await ListAsync(users[1])).Select(entry => $"{entry.Type} {entry.Read}"), Is.EqualTo(new[] { "Mention True" }));
    }

    [Test]
    public async Task Reading_shows_at_once_and_withdraws_the_push_with_the_feed()
    {
        var (id, users) = await GroupAsync();
        await DeviceAsync(users[1], "android");
        await Slices.TextAsync(users[0], id);
        await FollowAsync(id, pushes: true);
        Assert.That((await ListAsync(users[1])).Single().Delivery, Is.EqualTo(DeliveryState.Pending));

        await Slices.SendAsync(new MarkRead(new Actor(users[1]), id, Seq: null));
        var shown = (await ListAsync(users[1])).Single();
        await FollowAsync(id);

        Assert.That((shown.Read, shown.ReadAt is null), Is.EqualTo((true, false)));
        Assert.That((await ListAsync(users[1])).Single().Delivery, Is.EqualTo(DeliveryState.None));
    }

    [Test]
    public async Task Answering_reads_what_one_was_notified_of()
    {
        var (id, users) = await GroupAsync();
        await Slices.TextAsync(users[0], id);
        await FollowAsync(id);
        await Slices.TextAsync(users[1], id);
        await FollowAsync(id);

        Assert.That(await StoredAsync("SELECT read_at IS NOT NULL FROM notifications WHERE user_id = @User", users[1]), Is.True);
    }

    [TestCase("message")]
    [TestCase("everyone")]
    [TestCase("me")]
    public async Task Deleting_a_message_takes_its_notification_back(string what)
    {
        var (id, users) = await GroupAsync();
        var message = await SendAsync(users[0], id, new MessageContent(Text: "secret", Mentions: what == "message" ? null : [users[1]]));
        await FollowAsync(id);
        await DeleteAsync(what == "me" ? users[1] : users[0], message, what == "me" ? DeleteScope.Me : DeleteScope.Everyone);
        var shown = await ListAsync(users[1]);
        await FollowAsync(id);

        Assert.That(shown, Is.Empty);
        Assert.That(await StoredAsync("SELECT count(*) = 0 FROM notifications WHERE user_id = @User", users[1]), Is.True);
        Assert.That((await ListAsync(users[2])).Count, Is.EqualTo(what == "me" ? 1 : 0));
    }

    [Test]
    public async Task Of_several_messages_a_deleted_one_is_counted_no_more_and_says_nothing()
    {
        var (id, users) = await GroupAsync();
        await Slices.TextAsync(users[0], id, "first");
        var secret = await Slices.TextAsync(users[0], id, "secret");
        await Slices.TextAsync(users[0], id, "third");
        var newest = await Slices.TextAsync(users[0], id, "newest");
        await FollowAsync(id);
        await DeleteAsync(users[0], secret, DeleteScope.Everyone);
        await DeleteAsync(users[0], newest, DeleteScope.Everyone);
        await FollowAsync(id);

        var entry = (await ListAsync(users[1])).Single();
        Assert.That((entry.Count, entry.Body), Is.EqualTo((2, "user: third (2 new messages)")));
    }

    [Test]
    public async Task Deleting_the_newest_of_two_leaves_the_notification_of_the_other()
    {
        var (id, users) = await GroupAsync();
        var other = await Slices.TextAsync(users[0], id, "other");
        await FollowAsync(id);
        await DeleteAsync(users[0], await Slices.TextAsync(users[0], id, "newest"), DeleteScope.Everyone);
        await FollowAsync(id);
        var newest = await Slices.TextAsync(users[0], id, "newest");
        await FollowAsync(id);
        await DeleteAsync(users[0], newest, DeleteScope.Everyone);
        await FollowAsync(id);

        var entry = (await ListAsync(users[1], unread: true)).Single();
        Assert.That((entry.Count, entry.MessageId, entry.Body), Is.EqualTo((1, other.Id, "user: other")));
    }

    [TestCase(1)]
    public async Task After_whatever_is_sent_deleted_edited_read_and_muted_the_unread_entries_are_right(int seed)
    {
        var (id, users) = await GroupAsync();
        var user = users[1];
        var expected = new ExpectedNotifications();
        var random = new Random(seed);
        for (var step = 0; step < 120; step++)
        {
            var known = expected.Messages.Where(message => !message.IsGone && !message.IsSystem).ToList();
            var any = known.Count > 0 ? known[random.Next(known.Count)] : null;
            switch (random.Next(12))
            {
                case 0 or 1 or 2:
                    expected.Send(await Slices.TextAsync(users[0], id, $"{step}"), isSilent: false, isMention: false);
                    break;
                case 3:
                    expected.Send(
                        await SendAsync(users[0], id, new MessageContent(Text: "you", Mentions: [user])), isSilent: false, isMention: true);
                    break;
                case 4 when random.Next(2) == 0:
                    expected.Send(
                        await SendAsync(users[0], id, new MessageContent(Text: "psst") { Silent = true }),
                        isSilent: true, isMention: false);
                    break;
                case 4:
                    expected.Send(
                        (await Slices.SendAsync(new SendMessage(
                            Actor.Service, id, new MessageContent(Type: MessageType.System, Text: "paid")))).Message,
                        isSilent: true, isMention: false);
                    break;
                case 5 or 6 when any is not null:
                    var isForAll = random.Next(3) > 0;
                    await DeleteAsync(isForAll ? users[0] : user, any.View, isForAll ? DeleteScope.Everyone : DeleteScope.Me);
                    any.IsGone = true;
                    break;
                case 7 when any is not null:
                    await MentionAsync(users[0], any.View, any.IsMention ? [] : [user]);
                    expected.Edit(any);
                    break;
                case 8 when expected.Messages.Count > 0:
                    expected.Read(random.Next((int)expected.Messages[^1].Seq + 1));
                    await Slices.SendAsync(new MarkRead(new Actor(user), id, expected.Pointer));
                    break;
                case 9 when random.Next(3) == 0:
                    await Slices.SendAsync(new ReadNotifications(new Actor(user)));
                    expected.ReadAll();
                    break;
                case 10:
                    expected.IsMuted = !expected.IsMuted;
                    await SetAsync(user, id, new SettingsChange
                    {
                        MutedUntil = new(expected.IsMuted ? Instant.FromUtc(9999, 12, 31, 23, 59, 59) : null),
                    });
                    break;
            }
            if (random.Next(3) > 0)
                continue;
            await FollowAsync(id);
            expected.Follow();
            var unread = (await ListAsync(user, unread: true)).Select(entry => $"{entry.Type} {entry.Count} {entry.MessageId}");
            Assert.That(unread, Is.EquivalentTo(expected.Unread()), $"step {step}");
        }
    }

    [Test]
    public async Task An_edit_that_mentions_somebody_notifies_them_and_nobody_else()
    {
        var (id, users) = await GroupAsync();
        var message = await SendAsync(users[0], id, new MessageContent(Text: "psst", Mentions: [users[2]]) { Silent = true });
        await Slices.TextAsync(users[0], id, "other");
        var edited = await Slices.TextAsync(users[0], id, "edited");
        await FollowAsync(id);
        await MentionAsync(users[0], message, [users[2], users[1]]);
        await MentionAsync(users[0], edited, [Everybody]);
        await MentionAsync(users[0], edited, [Everybody, users[1]]);
        await FollowAsync(id);

        Assert.That(
            (await ListAsync(users[1])).Select(entry => $"{entry.Type} {entry.Count} {entry.Body}"),
            Is.EquivalentTo(new[] { "Message 1 user: other", "Mention 1 psst", "Mention 1 edited" }));
        Assert.That(
            (await ListAsync(users[2])).Select(entry => $"{entry.Type} {entry.Count}"),
            Is.EquivalentTo(new[] { "Message 1", "Mention 1" }));
    }

    [Test]
    public async Task An_edit_that_takes_a_mention_out_takes_its_notification_back()
    {
        var (id, users) = await GroupAsync();
        var message = await SendAsync(users[0], id, new MessageContent(Text: "you", Mentions: [users[1], users[2]]));
        await FollowAsync(id);
        await MentionAsync(users[0], message, [users[2]]);
        await FollowAsync(id);

        Assert.That(await ListAsync(users[1]), Is.Empty);
        Assert.That((await ListAsync(users[2])).Count, Is.EqualTo(1));
    }

    // Or it would wait in a circle: what follows the feed locks them in the order of the feed.
    [Test]
    public async Task Marking_all_as_read_holds_no_notification_while_it_waits_for_another()
    {
        var (first, users) = await GroupAsync();
        var second = await Slices.GroupAsync(users[0], users[1..]);
        foreach (var id in new[] { first, second })
        {
            await Slices.TextAsync(users[0], id);
            await FollowAsync(id);
        }
        await Slices.SendAsync(new MarkRead(new Actor(users[1]), second, Seq: null));
        await Slices.TextAsync(users[0], first);
        var (read, sent) = (await TakeAsync(second), await TakeAsync(first));
        var maker = new NotificationMaker(presence, [], new OutboxSignal(), new PushSignal());
        await using var connection = (NpgsqlConnection)await Slices.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();

        await maker.WriteAsync(connection, read, CancellationToken.None);
        var marking = Slices.SendAsync(new ReadNotifications(new Actor(users[1])));
        await Slices.UntilAsync(
            $"SELECT read_at IS NOT NULL FROM notifications WHERE conversation_id = '{first.Value}' AND user_id = '{users[1].Value}'");
        await maker.WriteAsync(connection, sent, CancellationToken.None);
        await transaction.CommitAsync();

        Assert.That((await marking).Changed, Is.EqualTo(1));
        Assert.That((await ListAsync(users[1], unread: true)).Single().ConversationId, Is.EqualTo(first));
    }

    // Or the users that are notified meanwhile wait with the one who marks.
    [Test]
    public async Task Marking_many_as_read_locks_some_at_a_time()
    {
        var user = await MentionedAsync(times: 5_000);

        var marked = await Slices.SendAsync(new ReadNotifications(new Actor(user)));

        Assert.That(marked.Changed, Is.EqualTo(5_000));
        Assert.That(
            await StoredAsync(
                """
                SELECT count(*) = 3 AND max(entries) = 2000
                FROM (SELECT count(*) AS entries FROM notifications WHERE user_id = @User GROUP BY xmin::text) t
                """,
                user),
            Is.True);
    }

    [Test]
    public async Task Marking_many_as_read_goes_through_each_a_few_times()
    {
        const int many = 10_000;
        var user = await MentionedAsync(many);

        var fetched = await Slices.SqlAsync(async session =>
        {
            await session.BeginAsync(CancellationToken.None);
            await new ReadNotificationsHandler(session).Handle(new ReadNotifications(new Actor(user)), CancellationToken.None);
            return await session.QuerySingleAsync<long>(
                "SELECT idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'notifications'",
                parameters: null,
                CancellationToken.None);
        });

        Assert.That(fetched, Is.InRange(many, 5 * many));
    }

    // A press of a button on two devices, say.
    [Test]
    public async Task Marking_all_as_read_takes_a_few_statements_however_many_others_have_locked()
    {
        var user = await MentionedAsync(times: 100);
        await Slices.ExecuteAsync(
            """
            CREATE SEQUENCE updates;
            CREATE FUNCTION count_update() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM nextval('updates'); RETURN NULL; END $$;
            CREATE TRIGGER updates BEFORE UPDATE ON notifications EXECUTE FUNCTION count_update()
            """);
        await using var connection = await Slices.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await connection.ExecuteAsync("UPDATE notifications SET read_at = now()", transaction: transaction);

        var marking = Slices.SendAsync(new ReadNotifications(new Actor(user)));
        await Slices.UntilAsync(
            "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'");
        await transaction.CommitAsync();

        Assert.That((await marking).Changed, Is.Zero);
        Assert.That(await Slices.ScalarAsync<long>("SELECT last_value FROM updates"), Is.LessThan(10));
    }

    [Test]
    public void A_transaction_makes_a_bounded_number_of_entries()
    {
        var one = Guid.NewGuid();

        Assert.That(NotificationMaker.CountOf(Rows("message:new", 299)), Is.EqualTo(16));
        Assert.That(NotificationMaker.CountOf(Rows("message:new", 299, one)), Is.EqualTo(1_000));
        Assert.That(NotificationMaker.CountOf(Rows("message:new", 299, one, mentions: 299)), Is.EqualTo(16));
        Assert.That(NotificationMaker.CountOf(Rows("message:new", 201, one, mentions: 100)), Is.EqualTo(48));
        Assert.That(NotificationMaker.CountOf(Rows("message:edited", 0, one, mentions: 100)), Is.EqualTo(36));
        Assert.That(NotificationMaker.CountOf(Rows("message:edited", 0, one, mentions: 100_000)), Is.EqualTo(1));
        Assert.That(NotificationMaker.CountOf(Rows("message:deleted", 0)), Is.EqualTo(16));
        Assert.That(NotificationMaker.CountOf(Rows("message:new", 1)), Is.EqualTo(1_000));
        Assert.That(NotificationMaker.CountOf(Rows("message:new", 100_000)), Is.EqualTo(1));

        static FeedRow[] Rows(string type, int recipients, Guid? id = null, int mentions = 0) =>
        [
            .. Enumerable.Range(1, 1_000).Select(n => new FeedRow(
                n, SystemClock.Instance.GetCurrentInstant(), id ?? Guid.NewGuid(), n, null, type,
                new JsonText($$"""{"recipientCount": {{recipients}}, "mentionCount": {{mentions}}, "mentioned": ["ada"]}"""))),
        ];
    }

    [Test]
    public async Task The_event_of_a_message_says_how_many_it_mentions()
    {
        var (id, users) = await GroupAsync();
        var edited = await Slices.TextAsync(users[0], id);
        await SendAsync(users[0], id, new MessageContent(Text: "you", Mentions: [users[0], users[1]]));
        await SendAsync(users[0], id, new MessageContent(Text: "all of you", Mentions: [users[1], Everybody]));
        await MentionAsync(users[0], edited, [users[1]]);
        await MentionAsync(users[0], edited, [users[1], users[2]]);
        await MentionAsync(users[0], edited, [Everybody]);

        var events = (await TakeAsync(id)).Where(row => row.Type is MessageSent.Name or MessageEdited.Name);

        Assert.That(events.Select(row => row.Values<MessageValues>().MentionCount), Is.EqualTo(new[] { 0, 1, 2, 1, 1, 3 }));
    }

    [Test]
    public async Task Clearing_the_history_takes_what_one_was_notified_of()
    {
        var (id, users) = await GroupAsync();
        await Slices.TextAsync(users[0], id);
        await Slices.TextAsync(users[0], id);
        await FollowAsync(id);
        await Slices.SendAsync(new ClearHistory(new Actor(users[1]), id, LeavesInbox: false));
        await FollowAsync(id);

        Assert.That(await StoredAsync("SELECT count(*) = 0 FROM notifications WHERE user_id = @User", users[1]), Is.True);
        Assert.That((await ListAsync(users[2])).Single().Count, Is.EqualTo(2));
    }

    [Test]
    public async Task Who_goes_is_shown_nothing_from_then_on_and_keeps_nothing_for_coming_back()
    {
        var (id, users) = await GroupAsync();
        await SendAsync(users[0], id, new MessageContent(Text: "you", Mentions: [users[1]]));
        await FollowAsync(id);
        await Slices.SendAsync(new RemoveParticipant(new Actor(users[0]), id, users[1]));
        Assert.That(await ListAsync(users[1]), Is.Empty);
        await FollowAsync(id);
        await Slices.SendAsync(new AddParticipants(Actor.Service, id, [users[1]], Domain.Participants.ParticipantRole.Member));

        Assert.That(await ListAsync(users[1]), Is.Empty);
    }

    [Test]
    public async Task Who_goes_and_comes_back_at_once_keeps_what_was_raised_since_and_nothing_else()
    {
        var (id, users) = await GroupAsync();
        await SendAsync(users[0], id, new MessageContent(Text: "before", Mentions: [users[1]]));
        await FollowAsync(id);
        await Slices.SendAsync(new RemoveParticipant(new Actor(users[0]), id, users[1]));
        await Slices.SendAsync(new AddParticipants(Actor.Service, id, [users[1]], Domain.Participants.ParticipantRole.Member));
        await SendAsync(users[0], id, new MessageContent(Text: "since", Mentions: [users[1]]));

        await FollowAsync(id);

        Assert.That((await ListAsync(users[1])).Select(entry => entry.Body), Is.EqualTo(new[] { "since" }));
    }

    [Test]
    public async Task A_deleted_conversation_leaves_no_notification()
    {
        var (id, users) = await GroupAsync();
        await Slices.TextAsync(users[0], id);
        await FollowAsync(id);
        await Slices.SendAsync(new DeleteConversation(new Actor(users[0]), id));
        Assert.That(await ListAsync(users[1]), Is.Empty);
        await FollowAsync(id);

        Assert.That(await StoredAsync("SELECT count(*) = 0 FROM notifications WHERE user_id = @User", users[1]), Is.True);
    }

    [TestCase(NotificationLevel.All, "Mention Message")]
    [TestCase(NotificationLevel.Mentions, "Mention")]
    [TestCase(NotificationLevel.None, "")]
    public async Task The_level_says_what_one_is_notified_of(NotificationLevel level, string types)
    {
        var (id, users) = await GroupAsync();
        await SetAsync(users[1], id, new SettingsChange { NotificationLevel = new(level) });
        await Slices.TextAsync(users[0], id);
        await SendAsync(users[0], id, new MessageContent(Text: "you", Mentions: [users[1]]));
        await FollowAsync(id);

        Assert.That(string.Join(' ', (await ListAsync(users[1])).Select(entry => entry.Type).Order().Reverse()), Is.EqualTo(types));
    }

    [Test]
    public async Task In_a_muted_conversation_a_mention_is_listed_and_not_pushed()
    {
        var (id, users) = await GroupAsync();
        await DeviceAsync(users[1], "android");
        await SetAsync(users[1], id, new SettingsChange { MutedUntil = new(Instant.FromUtc(9999, 12, 31, 23, 59, 59)) });
        await Slices.TextAsync(users[0], id);
        await SendAsync(users[0], id, new MessageContent(Text: "you", Mentions: [users[1]]));
        await FollowAsync(id, pushes: true);

        Assert.That(
            (await ListAsync(users[1])).Select(entry => $"{entry.Type} {entry.Delivery}"), Is.EqualTo(new[] { "Mention None" }));
    }

    [Test]
    public async Task Who_looks_is_notified_of_mentions_and_pushed_nothing_and_who_is_away_of_everything()
    {
        var (id, users) = await GroupAsync();
        foreach (var user in users[1..])
            await DeviceAsync(user, "ios");
        presence.Connect(users[1].Value, new Screen());
        var away = new Screen();
        presence.Connect(users[2].Value, away);
        presence.SetAway(away, isAway: true);
        await Slices.TextAsync(users[0], id);
        await SendAsync(users[0], id, new MessageContent(Text: "all", Mentions: [Everybody]));
        await FollowAsync(id, pushes: true);

        Assert.That(
            (await ListAsync(users[1])).Select(entry => $"{entry.Type} {entry.Delivery}"), Is.EqualTo(new[] { "Mention None" }));
        Assert.That(
            (await ListAsync(users[2])).Select(entry => $"{entry.Type} {entry.Delivery}"),
            Is.EquivalentTo(new[] { "Message Pending", "Mention Pending" }));
    }

    [Test]
    public async Task Silent_messages_and_those_of_the_service_notify_nobody()
    {
        var (id, users) = await GroupAsync();
        await SendAsync(users[0], id, new MessageContent(Text: "psst", Mentions: [users[1]]) { Silent = true });
        await Slices.SendAsync(new SendMessage(Actor.Service, id, new MessageContent(Type: MessageType.System, Text: "paid")));
        await FollowAsync(id);

        Assert.That(await ListAsync(users[1]), Is.Empty);
        Assert.That((await Slices.SendAsync(new GetUnread(new Actor(users[1])))).Messages, Is.EqualTo(1));
    }

    [Test]
    public async Task Who_blocks_somebody_is_not_notified_of_what_that_one_says_in_a_group()
    {
        var (id, users) = await GroupAsync();
        await Slices.SendAsync(new BlockUser(new Actor(users[1]), users[0]));
        await Slices.TextAsync(users[0], id);
        await SendAsync(users[0], id, new MessageContent(Text: "you", Mentions: [users[1], users[2]]));
        await FollowAsync(id);

        Assert.That(await ListAsync(users[1]), Is.Empty);
        Assert.That((await ListAsync(users[2])).Count, Is.EqualTo(2));
    }

    [Test]
    public async Task Who_has_yet_to_accept_a_conversation_is_not_notified()
    {
        var users = await Slices.UsersAsync(2);
        var id = await Slices.DirectAsync(users[0], users[1]);
        await Slices.TextAsync(users[0], id);
        await Slices.ExecuteAsync("UPDATE participants SET pending = true WHERE user_id = @User", new { User = users[1].Value });
        await FollowAsync(id);

        Assert.That(await StoredAsync("SELECT count(*) = 0 FROM notifications WHERE user_id = @User", users[1]), Is.True);
    }

    [TestCase("web", true, true, "Pending web")]
    [TestCase("android", false, true, "Pending mobile")]
    [TestCase("ios", true, false, "None ")]
    public async Task The_switches_say_which_devices_are_pushed_to(string platform, bool desktop, bool mobile, string pushed)
    {
        var (id, users) = await GroupAsync();
        await DeviceAsync(users[1], platform);
        await SetAsync(users[1], id, new SettingsChange { Desktop = new(desktop), Mobile = new(mobile) });
        await Slices.TextAsync(users[0], id);
        await FollowAsync(id, pushes: true);

        var delivery = (await ListAsync(users[1])).Single().Delivery;
        var where = await Slices.ScalarAsync<string>(
            """
            SELECT concat_ws(' ', CASE WHEN to_web THEN 'web' END, CASE WHEN to_mobile THEN 'mobile' END)
            FROM notifications
            WHERE user_id = @Id
            """,
            new { Id = users[1].Value });
        Assert.That($"{delivery} {where}", Is.EqualTo(pushed));
    }

    [Test]
    public async Task Without_a_provider_or_a_device_notifications_are_listed_and_not_pushed()
    {
        var (id, users) = await GroupAsync();
        await DeviceAsync(users[1], "android");
        await DeviceAsync(users[2], "android");
        await Slices.ExecuteAsync("UPDATE devices SET family_hash = '\\x01' WHERE user_id = @User", new { User = users[2].Value });
        await Slices.TextAsync(users[0], id);
        await FollowAsync(id);
        Assert.That((await ListAsync(users[1])).Single().Delivery, Is.EqualTo(DeliveryState.None));

        await Slices.TextAsync(users[0], id);
        await FollowAsync(id, pushes: true);
        Assert.That((await ListAsync(users[1])).Single().Delivery, Is.EqualTo(DeliveryState.Pending));
        Assert.That((await ListAsync(users[2])).Single().Delivery, Is.EqualTo(DeliveryState.None), "its login has ended");
    }

    [Test]
    public async Task In_quiet_hours_the_push_waits_for_their_end()
    {
        var (id, users) = await GroupAsync();
        foreach (var user in users[1..])
            await DeviceAsync(user, "android");
        var now = SystemClock.Instance.GetCurrentInstant().InUtc();
        var hours = new QuietHoursView($"{now.PlusHours(-2):HH:mm}", $"{now.PlusHours(2):HH:mm}", "Etc/UTC");
        await Slices.SendAsync(new UpdateMe(users[1], default, default, default, default, default) { QuietHours = new(hours) });
        await Slices.TextAsync(users[0], id);
        await FollowAsync(id, pushes: true);

        Assert.That(
            await StoredAsync(
                "SELECT push_at BETWEEN now() + '1 hour' AND now() + '3 hours' FROM notifications WHERE user_id = @User", users[1]),
            Is.True);
        Assert.That(await StoredAsync("SELECT push_at <= now() FROM notifications WHERE user_id = @User", users[2]), Is.True);
    }

    [Test]
    public async Task A_new_entry_is_told_and_one_that_is_raised_again_where_somebody_hears_it()
    {
        var (id, users) = await GroupAsync();
        var away = new Screen();
        presence.Connect(users[2].Value, away);
        presence.SetAway(away, isAway: true);
        for (var i = 0; i < 2; i++)
        {
            await Slices.TextAsync(users[0], id);
            await FollowAsync(id);
        }

        Assert.That(told.Count(one => one == users[1].Value), Is.EqualTo(1));
        Assert.That(told.Count(one => one == users[2].Value), Is.EqualTo(2));
    }

    [Test]
    public async Task The_same_events_once_more_change_nothing()
    {
        var (id, users) = await GroupAsync();
        await Slices.TextAsync(users[0], id);
        await SendAsync(users[0], id, new MessageContent(Text: "you", Mentions: [users[1]]));
        var rows = await TakeAsync(id);

        await WriteAsync(rows, pushes: false);
        var before = await ListAsync(users[1]);
        await WriteAsync(rows, pushes: false);

        Assert.That(await ListAsync(users[1]), Is.EqualTo(before));
        Assert.That(before.Count, Is.EqualTo(2));
    }

    [Test]
    public async Task The_list_comes_in_pages_and_is_marked_as_read_one_by_one_or_as_a_whole()
    {
        var (id, users) = await GroupAsync();
        for (var i = 0; i < 5; i++)
            await SendAsync(users[0], id, new MessageContent(Text: $"{i}", Mentions: [users[1]]));
        await FollowAsync(id);
        var first = await Slices.SendAsync(new ListNotifications(new Actor(users[1]), Unread: true, null, 3));
        var rest = await Slices.SendAsync(new ListNotifications(new Actor(users[1]), Unread: true, first.NextCursor, 3));
        Assert.That(first.Items.Concat(rest.Items).Select(entry => entry.Id).Distinct().Count(), Is.EqualTo(5));

        var read = await Slices.SendAsync(new ReadNotification(new Actor(users[1]), first.Items[0].Id));
        Assert.That((read.Read, (await ListAsync(users[1], unread: true)).Count), Is.EqualTo((true, 4)));
        Assert.That((await Slices.SendAsync(new ReadNotifications(new Actor(users[1])))).Changed, Is.EqualTo(4));
        Assert.That(await ListAsync(users[1], unread: true), Is.Empty);
    }

    [Test]
    public async Task Nobody_reads_or_marks_what_is_anothers()
    {
        var (id, users) = await GroupAsync();
        await Slices.TextAsync(users[0], id);
        await FollowAsync(id);
        var entry = (await ListAsync(users[1])).Single();

        Assert.That(
            await RefusalAsync(() => Slices.SendAsync(new ReadNotification(new Actor(users[2]), entry.Id))),
            Is.EqualTo(ProblemCodes.NotFound));
        await Slices.SendAsync(new ReadNotifications(new Actor(users[2])));
        Assert.That((await ListAsync(users[1])).Single().Read, Is.False);
    }

    [Test]
    public async Task Three_hundred_who_are_away_are_notified_together()
    {
        var (id, users) = await GroupAsync();
        await Slices.ExecuteAsync(
            """
            WITH u AS (
                INSERT INTO users (id, created_at, updated_at)
                SELECT @User || n, now(), now() FROM generate_series(1, 297) AS n
                RETURNING id
            )
            INSERT INTO participants (conversation_id, user_id, role, joined_at)
            SELECT @Id, id, 'member', now() FROM u
            """,
            new { Id = id.Value, User = users[0].Value });
        await Slices.TextAsync(users[0], id);
        await Slices.TextAsync(users[0], id);
        await FollowAsync(id);

        Assert.That(
            await Slices.ScalarAsync<string>(
                "SELECT concat_ws(' ', count(*), min(seqs::text), max(seqs::text)) FROM notifications WHERE conversation_id = @Id",
                new { Id = id.Value }),
            Is.EqualTo("299 {[2,4)} {[2,4)}"));
        Assert.That(told.Count(one => one.StartsWith(users[0].Value, StringComparison.Ordinal)), Is.EqualTo(297));
    }

    [Test]
    public async Task Operators_list_those_of_all_users_by_state()
    {
        var (id, users) = await GroupAsync();
        await Slices.TextAsync(users[0], id);
        await FollowAsync(id);
        await Slices.ExecuteAsync("UPDATE notifications SET delivery = 'bounced' WHERE user_id = @User", new { User = users[2].Value });

        var bounced = await Slices.SendAsync(new ListUserNotifications(DeliveryState.Bounced, null, 100));
        Assert.That(bounced.Items.Select(entry => entry.UserId), Is.EqualTo(new UserId?[] { users[2] }));
        var all = await Slices.SendAsync(new ListUserNotifications(null, null, 100));
        Assert.That(all.Items.Select(entry => entry.UserId), Is.SupersetOf(new UserId?[] { users[1], users[2] }));
    }

    private async Task<UserId> MentionedAsync(int times)
    {
        var (id, users) = await GroupAsync();
        await Slices.ExecuteAsync(
            """
            INSERT INTO notifications
                (id, user_id, type, conversation_id, mention_seq, seqs, seq, sent_at, message_id, delivery, created_at, raised_at)
            SELECT gen_random_uuid(), @User, 'mention', @Id, i, int8multirange(int8range(i, i, '[]')), i, now(), gen_random_uuid(), 'none',
                now(), now()
            FROM generate_series(1, @Times) AS i
            """,
            new { User = users[1].Value, Id = id.Value, Times = times });
        return users[1];
    }

    private readonly List<string> told = [];

    private async Task<(ConversationId Id, UserId[] Users)> GroupAsync()
    {
        var users = (await Slices.UsersAsync(3)).ToArray();
        var id = await Slices.GroupAsync(users[0], users[1..]);
        await FollowAsync(id);
        return (id, users);
    }

    // What the sequencer and the follower do, for one conversation.
    private async Task FollowAsync(ConversationId id, bool pushes = false) => await WriteAsync(await TakeAsync(id), pushes);

    private async Task<List<FeedRow>> TakeAsync(ConversationId id)
    {
        var rows = await Slices.SqlAsync(session => session.QueryAsync<FeedRow>(
            """
            WITH taken AS (
                DELETE FROM outbox
                WHERE conversation_id = @Id
                RETURNING occurred_at, conversation_id, event_no, seq, user_id, type, payload
            )
            SELECT row_number() OVER (ORDER BY occurred_at, event_no) AS position, occurred_at, conversation_id, seq, user_id, type, payload
            FROM taken
            ORDER BY 1
            """,
            new { Id = id.Value }, CancellationToken.None));
        told.AddRange(rows.Where(row => row.Type == "notification:new").Select(row => row.UserId!));
        return rows;
    }

    private async Task WriteAsync(IReadOnlyList<FeedRow> rows, bool pushes)
    {
        var maker = new NotificationMaker(presence, pushes ? [new Phones()] : [], new OutboxSignal(), new PushSignal());
        await using var connection = (NpgsqlConnection)await Slices.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await maker.WriteAsync(connection, rows, CancellationToken.None);
        await transaction.CommitAsync();
        told.AddRange(await Slices.SqlAsync(session => session.QueryAsync<string>(
            """
            DELETE FROM outbox
            WHERE type = 'notification:new' AND conversation_id = ANY (@Ids)
            RETURNING user_id
            """,
            new { Ids = rows.Select(row => row.ConversationId!.Value).Distinct().ToArray() }, CancellationToken.None)));
    }

    private async Task<IReadOnlyList<NotificationView>> ListAsync(UserId user, bool unread = false) =>
        (await Slices.SendAsync(new ListNotifications(new Actor(user), unread, null, 100))).Items;

    private async Task<MessageView> SendAsync(UserId sender, ConversationId id, MessageContent content) =>
        (await Slices.SendAsync(new SendMessage(new Actor(sender), id, content))).Message;

    private async Task SetAsync(UserId user, ConversationId id, SettingsChange change) =>
        await Slices.SendAsync(new UpdateSettings(new Actor(user), id, change));

    private async Task DeleteAsync(UserId user, MessageView message, DeleteScope scope) =>
        await Slices.SendAsync(new DeleteMessage(new Actor(user), message.ConversationId, message.Id, scope, null, null));

    private async Task MentionAsync(UserId sender, MessageView message, IReadOnlyList<UserId> mentions) => await Slices.SendAsync(
        new EditMessage(new Actor(sender), message.ConversationId, message.Id, null, default, default, new(mentions)));

    private Task DeviceAsync(UserId user, string platform) => Slices.ExecuteAsync(
        """
        INSERT INTO devices (user_id, device_id, platform, token, p256dh, auth, created_at, last_seen_at)
        VALUES (@User, 'phone', @Platform, @User, CASE @Platform WHEN 'web' THEN 'key' END, CASE @Platform WHEN 'web' THEN 'secret' END,
            now(), now())
        """,
        new { User = user.Value, Platform = platform });

    private Task<bool> StoredAsync(string sql, UserId user) => Slices.ScalarAsync<bool>(sql, new { User = user.Value });

    private sealed class Screen : ILiveConnection
    {
        public void Push(EphemeralEnvelope envelope)
        {
        }
    }

    internal sealed class NoOtherNodes : IBus
    {
        public string Node => "alone";

        public IReadOnlyCollection<string> Others => [];

        public bool IsUp => true;

        public void Publish<T>(string topic, T body)
        {
        }

        public void Subscribe<T>(string topic, Action<string, T> hear)
        {
        }

        public void OnConnected(Action connected)
        {
        }
    }

    private sealed class Phones : IPushProvider
    {
        public string Name => "phones";

        public bool IsConfigured => true;

        public IReadOnlyCollection<string> Platforms { get; } = ["web", "android", "ios"];

        public Task<PushOutcome> SendAsync(PushMessage push, CancellationToken ct) => Task.FromResult(new PushOutcome(PushResult.Sent));
    }
}
