using System.Data;
using Dapper;
using Messaging.Application.Accounts;
using Messaging.Application.Common;
using Messaging.Application.Notifications;
using Messaging.Application.Outbound;
using Messaging.Application.Push;
using Messaging.Application.Receipts;
using Messaging.Application.Revocations;
using Messaging.Application.Tests.Common;
using Messaging.Application.Users;
using Messaging.Application.Webhooks;
using Messaging.Domain.Accounts;
using Messaging.Domain.Common;
using Messaging.Infrastructure.Outbound;
using Messaging.Infrastructure.Push;
using Messaging.Infrastructure.Webhooks;
using Messaging.Testing;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;
using Npgsql;

namespace Messaging.Application.Tests.Push;

/// <summary>The rows of the queue: what is made, claimed, settled and derived, step by step.</summary>
public sealed class PushQueueTests : PushFixture
{
    // Due long ago.
    private const string ManySql =
        """
        ALTER TABLE notifications SET (autovacuum_enabled = false);
        ALTER TABLE pushes SET (autovacuum_enabled = false);
        INSERT INTO notifications (id, user_id, type, conversation_id, seqs, seq, sent_at, message_id, delivery, push_at, created_at,
            raised_at)
        SELECT gen_random_uuid(), @User, 'message', gen_random_uuid(), '{[1,2)}', 1, now(), gen_random_uuid(), 'pending',
            now() - interval '1 hour', now(), now()
        FROM generate_series(1, 5000);
        INSERT INTO pushes (notification_id, provider, device_id, next_attempt_at, expires_at)
        SELECT id, 'fcm', 'android', now() - interval '1 hour', now()
        FROM notifications
        """;

    private const string OrderedSql =
        """
        ALTER TABLE pushes SET (autovacuum_enabled = false);
        WITH n AS (
            INSERT INTO notifications (id, user_id, type, conversation_id, seqs, seq, sent_at, message_id, delivery, push_at, created_at,
                raised_at)
            SELECT lpad(n::text, 32, '0')::uuid, @User, 'message', gen_random_uuid(), '{[1,2)}', 1, now(), gen_random_uuid(), 'pending',
                'infinity', now(), now()
            FROM generate_series(@From, @Until) AS n
            RETURNING id
        )
        INSERT INTO pushes (notification_id, provider, device_id, next_attempt_at, expires_at)
        SELECT id, 'fcm', 'android', now() - interval '1 minute' + row_number() OVER (ORDER BY id) * interval '1 ms',
            now() + interval '1 day'
        FROM n
        """;

    private const string LoginSql =
        """
        INSERT INTO accounts (user_id, username, password_hash, created_at, password_changed_at)
        VALUES (@User, 'u' || md5(@User), rpad('A', 60, 'A'), now(), now());
        INSERT INTO refresh_tokens (family_hash, token_hash, user_id, created_at, expires_at)
        VALUES (@FamilyHash, '', @User, now(), 'infinity');
        UPDATE devices
        SET family_hash = @FamilyHash
        WHERE device_id = 'tablet';
        UPDATE devices
        SET family_hash = @FamilyHash
        WHERE device_id = 'phone';
        ANALYZE devices
        """;

    protected override void Add(IServiceCollection services) =>
        services.AddSingleton<IOutboundAddresses>(new OutboundAddresses(new SystemNames(), new WebhookSettings()));

    [Test]
    public async Task A_notification_is_made_into_a_push_for_each_device_that_a_provider_serves()
    {
        var raised = await RaiseAsync("android", "ios", "web");

        await Queue.MakeAsync([("fcm", "android"), ("webhook", "")], CancellationToken.None);

        Assert.That(
            await Slices.ScalarAsync<string>(
                "SELECT string_agg(provider || ' ' || device_id || ' ' || state, ', ' ORDER BY provider) FROM pushes"),
            Is.EqualTo("fcm android pending, webhook  pending"));
        Assert.That(await Queue.MakeAsync(Targets, CancellationToken.None), Is.Zero);
    }

    [Test]
    public async Task A_look_passes_none_of_what_was_made_and_sent_while_a_snapshot_is_open()
    {
        await using var one = NpgsqlDataSource.Create($"{Slices.ConnectionString};Maximum Pool Size=1");
        var queue = new PushQueue(one, new PushTexts(new PushSettings()), Clock, new MovedTime());
        await LookAsync();
        await using var dump = await Slices.OpenAsync();
        await using var snapshot = await dump.BeginTransactionAsync(IsolationLevel.RepeatableRead);
        await dump.ExecuteAsync("SELECT 1", transaction: snapshot);
        await Slices.ExecuteAsync(ManySql, new { User = (await Slices.UserAsync("Anna")).Value });
        await Slices.ExecuteAsync("UPDATE notifications SET delivery = 'sent'; UPDATE pushes SET state = 'sent'");
        var before = await BlocksAsync();

        await LookAsync();

        Assert.That(await BlocksAsync() - before, Is.LessThan(60));

        async Task LookAsync()
        {
            await queue.MakeAsync(Targets, CancellationToken.None);
            await queue.ClaimAsync("fcm", ["android"], 10, CancellationToken.None);
        }

        async Task<long> BlocksAsync()
        {
            await using var connection = await one.OpenConnectionAsync();
            return await connection.BlocksAsync("notifications", "pushes");
        }
    }

    [Test]
    public async Task Without_a_device_there_is_nothing_to_push()
    {
        var raised = await RaiseAsync();

        await Queue.MakeAsync(Targets, CancellationToken.None);

        Assert.That(await DeliveryAsync(raised), Is.EqualTo("none"));
    }

    [Test]
    public async Task Switches_keep_pushes_from_the_devices_of_a_kind()
    {
        var raised = await RaiseAsync("android", "web");
        await Slices.ExecuteAsync("UPDATE notifications SET to_mobile = false WHERE id = @Id", new { raised.Id });

        await Queue.MakeAsync(Targets, CancellationToken.None);

        Assert.That(await ClaimAsync("fcm"), Is.Empty);
        Assert.That(await ClaimAsync("webpush"), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_notification_that_is_due_later_waits_until_then()
    {
        var raised = await RaiseAsync("android");
        await Slices.ExecuteAsync("UPDATE notifications SET push_at = push_at + interval '8 hours' WHERE id = @Id", new { raised.Id });

        Assert.That(await Queue.MakeAsync(Targets, CancellationToken.None), Is.Zero);
        Clock.Advance(Duration.FromHours(8));

        Assert.That(await Queue.MakeAsync(Targets, CancellationToken.None), Is.EqualTo(1));
    }

    [Test]
    public async Task A_push_says_what_the_notification_says_with_what_is_unread_over_all()
    {
        var raised = await RaiseAsync("android");
        var eve = await Slices.UserAsync("Eve");
        await Slices.TextAsync(eve, await Slices.DirectAsync(eve, raised.User));
        await Queue.MakeAsync(Targets, CancellationToken.None);

        var message = (await ClaimAsync("fcm")).Single().Message!;

        Assert.That((message.Title, message.Body, message.Badge), Is.EqualTo(("Ben", "See you at 8", 2L)));
        Assert.That(message.Device!.Token, Is.EqualTo($"android-{raised.User.Value}"));
    }

    [Test]
    public async Task A_push_of_a_dead_node_is_sent_by_another_and_its_late_word_changes_nothing()
    {
        var raised = await RaiseAsync("android");
        await Queue.MakeAsync(Targets, CancellationToken.None);
        var dead = (await ClaimAsync("fcm")).Single();
        Assert.That(await ClaimAsync("fcm"), Is.Empty);
        Clock.Advance(PushQueue.Visibility);

        var other = (await ClaimAsync("fcm")).Single();
        await SettleAsync(dead, new PushOutcome(PushResult.Bounced, "UNREGISTERED"));
        var meanwhile = await DeliveryAsync(raised);
        await SettleAsync(other, new PushOutcome(PushResult.Sent));

        Assert.That((other.Attempts, meanwhile, await DeliveryAsync(raised)), Is.EqualTo((2, "pending", "sent")));
    }

    [Test]
    public async Task Of_two_nodes_one_claims_a_push()
    {
        for (var i = 0; i < 3; i++)
            await RaiseAsync("android");
        await Queue.MakeAsync(Targets, CancellationToken.None);
        await using var connection = (NpgsqlConnection)await Slices.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await connection.ExecuteAsync(
            "SELECT FROM pushes ORDER BY notification_id LIMIT 1 FOR UPDATE", transaction: transaction);

        var claims = new[] { ClaimAsync("fcm"), ClaimAsync("fcm", NewQueue()) };
        await EndsOrWaitsAsync(Task.WhenAll(claims), waiting: 2);
        await transaction.RollbackAsync();
        var claimed = (await Task.WhenAll(claims)).Append(await ClaimAsync("fcm")).SelectMany(pushes => pushes);

        Assert.That(claimed.Select(push => push.Key), Is.Unique.And.Exactly(3).Items);
    }

    [Test]
    public async Task A_claim_counts_from_when_it_was_asked_for_however_long_it_takes_to_read_what_is_sent()
    {
        await RaiseAsync("android");
        await Queue.MakeAsync(Targets, CancellationToken.None);
        await using var connection = await Slices.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await connection.ExecuteAsync("LOCK TABLE devices", transaction: transaction);

        var claiming = ClaimAsync("fcm");
        await EndsOrWaitsAsync(claiming, waiting: 1);
        Time.By = PushQueue.Visibility.ToTimeSpan() / 2;
        await transaction.CommitAsync();

        Assert.That(Queue.Holds((await claiming).Single()), Is.False);
    }

    [Test]
    public async Task Pushes_that_a_claim_left_are_claimed_by_the_next_ones_however_long_they_have_been_due()
    {
        for (var i = 0; i < 3; i++)
            await RaiseAsync("android");
        await Queue.MakeAsync(Targets, CancellationToken.None);
        Clock.Advance(Duration.FromMinutes(1));

        for (var i = 0; i < 3; i++)
            Assert.That(await Queue.ClaimAsync("fcm", ["android"], 1, CancellationToken.None), Has.Count.EqualTo(1));
    }

    // With the plan of a queue that was as good as empty, and large before that: ids rise with the due times.
    [Test]
    public async Task No_more_are_claimed_than_can_be_sent_at_once_whatever_the_planner_takes_the_queue_for()
    {
        var user = (await Slices.UserAsync("Anna")).Value;
        await Slices.ExecuteAsync(OrderedSql, new { User = user, From = 1, Until = 5_000 });
        await Slices.ExecuteAsync("DELETE FROM notifications");
        await Slices.ExecuteAsync(OrderedSql, new { User = user, From = 5_001, Until = 5_001 });
        await Slices.ExecuteAsync("UPDATE pushes SET state = 'sent'");
        await Slices.ExecuteAsync("VACUUM ANALYZE pushes");
        await Slices.ExecuteAsync(OrderedSql, new { User = user, From = 5_002, Until = 5_502 });

        Assert.That(await Queue.ClaimAsync("fcm", ["android"], 32, CancellationToken.None), Has.Count.EqualTo(32));
    }

    [Test]
    public async Task Notifications_for_which_there_was_no_room_are_made_into_pushes_next()
    {
        await Slices.ExecuteAsync(ManySql, new { User = (await Slices.UserAsync("Anna")).Value });

        Assert.That(await Queue.MakeAsync(Targets, CancellationToken.None), Is.EqualTo(500));
        Assert.That(await Queue.MakeAsync(Targets, CancellationToken.None), Is.EqualTo(500));
    }

    // As when the database was away meanwhile: looks do not begin in the past.
    [Test]
    public async Task One_that_failed_is_due_at_once_where_that_is_written_down_only_after_its_pause()
    {
        await RaiseAsync("android");
        await Queue.MakeAsync(Targets, CancellationToken.None);
        var push = (await ClaimAsync("fcm")).Single();
        var failed = PushSchedule.After(push, new PushOutcome(PushResult.Retry, "http-503"), Clock.GetCurrentInstant(), chance: 0.5);
        Clock.Advance(Duration.FromMinutes(1));
        await ClaimAsync("fcm");

        await Queue.SettleAsync([failed], CancellationToken.None);

        Assert.That(await ClaimAsync("fcm"), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task One_that_is_raised_again_is_pushed_again_whatever_became_of_the_first()
    {
        var raised = await RaiseAsync("android");
        await Queue.MakeAsync(Targets, CancellationToken.None);
        var first = (await ClaimAsync("fcm")).Single();
        await Slices.ExecuteAsync(
            "UPDATE notifications SET seqs = '{[1,3)}', delivery = 'pending', push_at = @Now, raised_at = @Now WHERE id = @Id",
            new { raised.Id, Now = Clock.GetCurrentInstant().ToDateTimeUtc() });

        await SettleAsync(first, new PushOutcome(PushResult.Sent));
        var meanwhile = await DeliveryAsync(raised);
        await Queue.MakeAsync(Targets, CancellationToken.None);
        var second = (await ClaimAsync("fcm")).Single();

        Assert.That(meanwhile, Is.EqualTo("pending"));
        Assert.That(second.Message!.CollapseId, Is.EqualTo(first.Message!.CollapseId));
    }

    [Test]
    public async Task One_device_that_was_reached_is_enough()
    {
        var raised = await RaiseAsync("android", "ios", "web");
        await Queue.MakeAsync(Targets, CancellationToken.None);
        var phones = await ClaimAsync("fcm");
        var browser = (await ClaimAsync("webpush")).Single();

        await SettleAsync(phones[0], new PushOutcome(PushResult.Failed, "http-413"));
        var first = await DeliveryAsync(raised);
        await SettleAsync(phones[1], new PushOutcome(PushResult.Sent));
        var second = await DeliveryAsync(raised);
        await SettleAsync(browser, new PushOutcome(PushResult.Bounced, "unsubscribed"));

        Assert.That((first, second, await DeliveryAsync(raised)), Is.EqualTo(("pending", "sent", "sent")));
    }

    [Test]
    public async Task Pushes_of_one_notification_that_end_at_once_leave_it_settled()
    {
        var raised = new List<Raised>();
        for (var i = 0; i < 20; i++)
            raised.Add(await RaiseAsync("android", "web"));
        await Queue.MakeAsync(Targets, CancellationToken.None);
        var (phones, browsers) = (await ClaimAsync("fcm"), await ClaimAsync("webpush"));

        await Task.WhenAll(phones.Concat(browsers).Select(push => SettleAsync(push, new PushOutcome(PushResult.Failed, "http-400"))));

        Assert.That(
            await Slices.ScalarAsync<string>("SELECT string_agg(DISTINCT delivery, ' ') FROM notifications"), Is.EqualTo("failed"));
    }

    [TestCase("another-token")]
    [TestCase(null)]
    public async Task A_device_that_bounced_is_removed_unless_it_was_registered_anew(string? token)
    {
        var (gone, renewed) = (await RaiseAsync("android"), await RaiseAsync("android"));
        await Queue.MakeAsync(Targets, CancellationToken.None);
        var pushes = await ClaimAsync("fcm");
        await RegisterAsync(renewed.User, "android", token);

        foreach (var push in pushes)
            await SettleAsync(push, new PushOutcome(PushResult.Bounced, "UNREGISTERED"));

        Assert.That((await DevicesAsync(gone.User), await DevicesAsync(renewed.User)), Is.EqualTo((0, 1)));
        Assert.That((await DeliveryAsync(gone), await DeliveryAsync(renewed)), Is.EqualTo(("bounced", "bounced")));
    }

    // Each would wait for the device that the other has removed.
    [Test]
    public async Task Nodes_that_hear_of_the_same_bounced_devices_in_another_order_do_not_wait_for_each_other()
    {
        await RaiseAsync("android", "ios");
        await Queue.MakeAsync(Targets, CancellationToken.None);
        var pushes = await ClaimAsync("fcm");
        await using var connection = (NpgsqlConnection)await Slices.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await connection.ExecuteAsync("SELECT FROM devices WHERE device_id = 'android' FOR UPDATE", transaction: transaction);

        var one = BounceAsync(pushes.OrderBy(push => push.Key.DeviceId));
        await EndsOrWaitsAsync(one, waiting: 1);
        var other = BounceAsync(pushes.OrderByDescending(push => push.Key.DeviceId));
        await EndsOrWaitsAsync(other, waiting: 2);
        await transaction.RollbackAsync();

        Assert.That(() => Task.WhenAll(one, other), Throws.Nothing);
    }

    [Test]
    public async Task A_device_that_bounced_is_removed_although_its_notification_is_gone()
    {
        var raised = await RaiseAsync("android");
        await Queue.MakeAsync(Targets, CancellationToken.None);
        var push = (await ClaimAsync("fcm")).Single();
        await Slices.ExecuteAsync("DELETE FROM notifications WHERE id = @Id", new { raised.Id });

        await SettleAsync(push, new PushOutcome(PushResult.Bounced, "UNREGISTERED"));

        Assert.That(await DevicesAsync(raised.User), Is.Zero);
    }

    // Who of them goes on first is the server's choice.
    [Test]
    [Repeat(5)]
    public async Task Users_who_swap_their_devices_at_once_do_not_wait_for_each_other()
    {
        var (anna, ben) = (await Slices.UserAsync("Anna"), await Slices.UserAsync("Ben"));
        await RegisterAsync(anna, "android");
        await RegisterAsync(ben, "android");
        await using var holder = await Slices.OpenAsync();
        await using var transaction = await holder.BeginTransactionAsync();
        await holder.ExecuteAsync("UPDATE devices SET created_at = created_at WHERE user_id = @User", new { User = anna.Value });

        var first = TakeAsync(ben, anna);
        await Slices.UntilAsync(Waits(1));
        var second = TakeAsync(anna, ben);
        await Slices.UntilAsync(Waits(2));
        await transaction.CommitAsync();
        await Task.WhenAll(first, second);

        Assert.That((await DevicesAsync(anna), await DevicesAsync(ben)), Is.EqualTo((1, 0)).Or.EqualTo((0, 1)).Or.EqualTo((1, 1)));

        // Within a transaction of the test's own nothing is tried again.
        Task TakeAsync(UserId user, UserId of) => Slices.SendAsync(
            new PutDevice(new Credential(user, null, null, null), "android", DevicePlatform.Android, $"android-{of.Value}", Keys: null),
            () => Task.CompletedTask);

        static string Waits(int count) =>
            $"SELECT count(*) = {count} FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    }

    // In a small table they are found in the order in which they came.
    [TestCase(false, TestName = "Tokens_are_revoked_while_a_device_is_registered_and_neither_waits_for_the_other")]
    [TestCase(true, TestName = "A_login_ends_while_a_device_is_registered_and_neither_waits_for_the_other")]
    public async Task Devices_end_while_one_is_registered_and_neither_waits_for_the_other(bool ofOneLogin)
    {
        var (user, login) = (await Slices.UserAsync("Anna"), RefreshToken.New());
        await RegisterAsync(user, "android", deviceId: "tablet");
        await RegisterAsync(user, "ios", deviceId: "phone");
        await Slices.ExecuteAsync(LoginSql, new { User = user.Value, FamilyHash = login.FamilyHash() });
        await using var holder = await Slices.OpenAsync();
        await using var transaction = await holder.BeginTransactionAsync();
        await holder.ExecuteAsync("SELECT FROM devices WHERE device_id = 'phone' FOR UPDATE", transaction: transaction);

        // Within a transaction of the test's own nothing is tried again.
        var registered = Slices.SendAsync(
            new PutDevice(new Credential(user, null, null, null), "watch", DevicePlatform.Android, "watch", Keys: null),
            () => Task.CompletedTask);
        await EndsOrWaitsAsync(registered, waiting: 1);
        var ended = ofOneLogin
            ? Slices.SendAsync(new LogOut(login.Reveal()), () => Task.CompletedTask)
            : Slices.SendAsync(new RevokeTokens(user), () => Task.CompletedTask);
        await EndsOrWaitsAsync(ended, waiting: 2);
        await transaction.CommitAsync();
        await Task.WhenAll(registered, ended);

        Assert.That(await DevicesAsync(user), Is.EqualTo(1));
    }

    [Test]
    public async Task A_device_that_was_registered_anew_for_another_provider_is_not_known_to_the_first()
    {
        var raised = await RaiseAsync("android");
        await Queue.MakeAsync(Targets, CancellationToken.None);
        await Slices.ExecuteAsync("UPDATE devices SET platform = 'web', p256dh = '', auth = ''");

        var push = (await ClaimAsync("fcm")).Single();

        Assert.That(push.Message, Is.Null);
        Assert.That(await DevicesAsync(raised.User), Is.EqualTo(1));
    }

    [TestCase("UPDATE devices SET family_hash = '\\x01'", TestName = "A_device_takes_nothing_after_its_login")]
    [TestCase(
        """
        INSERT INTO service_keys (id, name, secret_hash, scopes, created_at, revoked_at) VALUES ('gone', '', '', '{}', now(), now());
        UPDATE devices SET service_key_id = 'gone'
        """,
        TestName = "A_device_takes_nothing_after_its_key_was_revoked")]
    [TestCase(
        """
        INSERT INTO revocations (kind, subject) SELECT 'tokens', user_id FROM devices;
        UPDATE devices SET issued_at = date_trunc('second', now())
        """,
        TestName = "A_device_takes_nothing_after_its_user_s_tokens_were_revoked")]
    public async Task A_device_takes_nothing_after_its_credential(string end)
    {
        await RaiseAsync("android");
        await Queue.MakeAsync(Targets, CancellationToken.None);
        var later = await RaiseAsync("android");

        await Slices.ExecuteAsync(end);
        await Queue.MakeAsync(Targets, CancellationToken.None);

        Assert.That((await ClaimAsync("fcm")).Single().Message, Is.Null);
        Assert.That(await DeliveryAsync(later), Is.EqualTo("none"));
    }

    [Test]
    public async Task A_registration_that_a_revocation_overtakes_takes_nothing()
    {
        var user = await Slices.UserAsync("Anna");
        var token = new Credential(user, null, null, IssuedAt: SystemClock.Instance.GetCurrentInstant() - Duration.FromMinutes(1));

        var registered = Enumerable.Range(0, 20).Select(i => CodeAsync(() => PutAsync(token, $"phone{i}"))).ToList();
        await Slices.SendAsync(new RevokeTokens(user));
        var codes = await Task.WhenAll(registered);

        Assert.That(codes, Is.All.EqualTo("").Or.EqualTo(ProblemCodes.Unauthenticated));
        Assert.That(await CodeAsync(() => PutAsync(token, "late")), Is.EqualTo(ProblemCodes.Unauthenticated));
        Assert.That((await Slices.SendAsync(new ListDevices(new Actor(user)))).Items, Is.Empty);
        await PutAsync(token with { IssuedAt = SystemClock.Instance.GetCurrentInstant() + Duration.FromMinutes(1) }, "phone0");
        Assert.That(await DevicesAsync(user), Is.EqualTo(1));
    }

    [Test]
    public async Task A_notification_that_was_read_before_it_was_sent_is_withdrawn()
    {
        var raised = await RaiseAsync("android");
        await Queue.MakeAsync(Targets, CancellationToken.None);
        await Slices.SendAsync(new MarkRead(new Actor(raised.User), raised.Message.ConversationId, raised.Message.Seq));

        var push = (await ClaimAsync("fcm")).Single();

        Assert.That(push.Message, Is.Null);
    }

    [Test]
    public async Task Operators_see_what_became_of_it_on_each_device()
    {
        var raised = await RaiseAsync("android", "web");
        await Queue.MakeAsync(Targets, CancellationToken.None);
        await SettleAsync((await ClaimAsync("fcm")).Single(), new PushOutcome(PushResult.Failed, "http-413"));
        await SettleAsync((await ClaimAsync("webpush")).Single(), new PushOutcome(PushResult.Retry, "timeout"));

        var listed = (await Slices.SendAsync(new ListUserNotifications(DeliveryState.Pending, null, 100))).Items.Single();

        Assert.That((listed.Id, listed.UserId), Is.EqualTo((raised.Id, (UserId?)raised.User)));
        Assert.That(
            listed.Pushes!.Select(push => (push.Provider, push.DeviceId, push.State, push.Attempts, push.Error, push.NextAttemptAt)),
            Is.EqualTo(new[]
            {
                ("fcm", "android", PushState.Failed, 1, "http-413", (Instant?)null),
                ("webpush", "web", PushState.Pending, 1, "timeout", Clock.GetCurrentInstant() + Duration.FromSeconds(5)),
            }));
    }

    [Test]
    public async Task Pauses_double_up_to_half_an_hour_and_end_with_the_day()
    {
        var raised = await RaiseAsync("android");
        await Queue.MakeAsync(Targets, CancellationToken.None);
        var pauses = new List<Duration>();
        while (await DeliveryAsync(raised) == "pending")
        {
            var push = (await ClaimAsync("fcm")).Single();
            var settled = PushSchedule.After(push, new PushOutcome(PushResult.Retry, "http-503"), Clock.GetCurrentInstant(), chance: 0.5);
            await Queue.SettleAsync([settled], CancellationToken.None);
            pauses.Add(settled.NextAttemptAt - Clock.GetCurrentInstant());
            Clock.Advance(pauses[^1]);
        }

        Assert.That(pauses[..4].Select(pause => pause.TotalSeconds), Is.EqualTo(new[] { 5, 10, 20, 40 }));
        Assert.That(pauses[..^1].Max(), Is.EqualTo(Duration.FromMinutes(30)));
        Assert.That(pauses.Aggregate(Duration.Zero, (sum, pause) => sum + pause).TotalHours, Is.InRange(23, 24));
        Assert.That(await DeliveryAsync(raised), Is.EqualTo("failed"));
    }

    [TestCase(0, null, 3.75)]
    [TestCase(1, null, 6.25)]
    [TestCase(0, 60, 60)]
    [TestCase(1, 60, 66.25)]
    public void Pushes_that_failed_together_do_not_come_back_together(double chance, int? asked, double seconds)
    {
        var now = Clock.GetCurrentInstant();
        var push = new ClaimedPush(new PushKey(Guid.NewGuid(), "fcm", "phone"), Guid.NewGuid(), 1, now + PushQueue.Lifetime, null)
        {
            AskedAt = 0,
        };
        var outcome = new PushOutcome(
            PushResult.Retry, "http-503", RetryAfter: asked is { } least ? Duration.FromSeconds(least) : (Duration?)null);

        var settled = PushSchedule.After(push, outcome, now, chance);

        Assert.That((settled.NextAttemptAt - now).TotalSeconds, Is.EqualTo(seconds));
    }

    private Task BounceAsync(IEnumerable<ClaimedPush> pushes)
    {
        var bounced = new PushOutcome(PushResult.Bounced, "UNREGISTERED");
        return Queue.SettleAsync(
            [.. pushes.Select(push => PushSchedule.After(push, bounced, Clock.GetCurrentInstant(), chance: 0.5))], CancellationToken.None);
    }

    private Task EndsOrWaitsAsync(Task task, int waiting) => Eventually.HoldsAsync(
        async () => task.IsCompleted || await Slices.ScalarAsync<bool>(
            "SELECT count(*) = @Waiting FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
            new { Waiting = waiting }),
        "it has ended, or waits");

    private Task<IReadOnlyList<ClaimedPush>> ClaimAsync(string provider, PushQueue? queue = null) => (queue ?? Queue).ClaimAsync(
        provider, [.. from target in Targets where target.Provider == provider select target.Platform], 100, CancellationToken.None);

    private Task<Upserted<DeviceView>> PutAsync(Credential by, string deviceId) => Slices.SendAsync(new PutDevice(
        by, deviceId, DevicePlatform.Android, $"{deviceId}-{by.UserId}", Keys: null));

    private Task SettleAsync(ClaimedPush push, PushOutcome outcome) =>
        Queue.SettleAsync([PushSchedule.After(push, outcome, Clock.GetCurrentInstant(), chance: 0.5)], CancellationToken.None);
}
