using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Messaging.Application.Push;
using Messaging.Infrastructure.Push;
using NodaTime;

namespace Messaging.Application.Tests.Push;

/// <summary>Workers that send to providers on this machine.</summary>
public sealed class PushWorkerTests : PushFixture
{
    [Test]
    public async Task A_notification_reaches_all_devices_of_its_user()
    {
        var raised = await RaiseAsync("android", "ios", "web");

        await using var worker = await WorkAsync();

        await Slices.UntilAsync($"SELECT count(*) = 3 FROM pushes WHERE notification_id = '{raised.Id}' AND state = 'sent'");
        Assert.That(
            Sent.Select(call => (string?)call.Json["message"]!["token"]),
            Is.EquivalentTo(new[] { $"android-{raised.User.Value}", $"ios-{raised.User.Value}" }));
        Assert.That(Browsers.Calls, Has.Count.EqualTo(1));
        Assert.That(await DeliveryAsync(raised), Is.EqualTo("sent"));
    }

    [Test]
    public async Task A_provider_that_asks_for_patience_is_tried_again_no_sooner()
    {
        GoogleSays = _ => Task.FromResult(new PushReply(503) { Headers = [("Retry-After", "600")] });
        var raised = await RaiseAsync("android");
        await using var worker = await WorkAsync();
        await Slices.UntilAsync($"SELECT count(*) = 1 FROM pushes WHERE error = 'http-503' AND notification_id = '{raised.Id}'");
        GoogleSays = _ => Task.FromResult(new PushReply(200));

        Clock.Advance(Duration.FromSeconds(599));
        Assert.That(await Queue.ClaimAsync("fcm", ["android"], 1, CancellationToken.None), Is.Empty);
        Clock.Advance(Duration.FromSeconds(10));
        worker.Look();

        await UntilAsync(raised, "sent");
        Assert.That(Sent, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task A_notification_that_was_read_meanwhile_is_not_sent()
    {
        var raised = await RaiseAsync("android");
        await Slices.ExecuteAsync("UPDATE notifications SET read_at = now() WHERE id = @Id", new { raised.Id });

        await using var worker = await WorkAsync();

        await UntilAsync(raised, "none");
        Assert.That(Sent, Is.Empty);
    }

    [Test]
    public async Task Two_nodes_send_each_push_once()
    {
        for (var i = 0; i < 30; i++)
            await RaiseAsync("android");

        await using var one = await WorkAsync(withBrowsers: false);
        await using var other = await WorkAsync(withBrowsers: false);

        await Slices.UntilAsync("SELECT bool_and(delivery = 'sent') FROM notifications");
        Assert.That(Sent.Select(call => (string?)call.Json["message"]!["token"]).ToList(), Is.Unique.And.Count.EqualTo(30));
    }

    [Test]
    public async Task A_provider_that_does_not_answer_costs_the_others_nothing()
    {
        var hangs = new TaskCompletionSource();
        GoogleSays = async _ =>
        {
            await hangs.Task;
            return new PushReply(200);
        };
        for (var i = 0; i < PushSender.Concurrency + 5; i++)
            await RaiseAsync("android");
        var raised = await RaiseAsync("web");

        await using var worker = await WorkAsync();

        await UntilAsync(raised, "sent");
        Assert.That(await Slices.ScalarAsync<bool>("SELECT bool_or(state = 'sent') FROM pushes WHERE provider = 'fcm'"), Is.False);
        hangs.SetResult();
        await Slices.UntilAsync("SELECT bool_and(delivery = 'sent') FROM notifications");
    }

    [Test]
    public async Task A_node_that_stops_ends_what_is_on_its_way()
    {
        var (called, goesOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        GoogleSays = async _ =>
        {
            called.TrySetResult();
            await goesOn.Task;
            return new PushReply(200);
        };
        var raised = await RaiseAsync("android");
        await using var worker = await WorkAsync();
        await called.Task.WaitAsync(TimeSpan.FromSeconds(30));

        var stopped = worker.StopAsync();
        goesOn.SetResult();
        await stopped;

        Assert.That(await DeliveryAsync(raised), Is.EqualTo("sent"));
    }

    [Test]
    public async Task Texts_are_in_no_log_and_no_row()
    {
        GoogleSays = call => Task.FromResult(new PushReply(400, call.Json));
        Browsers.Reply = _ => Task.FromResult(new PushReply(400, "See you at 8"));
        var raised = await RaiseAsync("android", "web");

        await using var worker = await WorkAsync();
        await UntilAsync(raised, "failed");

        Assert.That(await Slices.ScalarAsync<string>("SELECT string_agg(p::text, ' ') FROM pushes p"), Does.Contain("http-400"));
        Assert.That(await Slices.ScalarAsync<string>("SELECT string_agg(p::text, ' ') FROM pushes p"), Does.Not.Contain("See you"));
        Assert.That(Logs.Lines, Has.None.Contains("See you"));
    }

    [Test]
    public async Task Outcomes_are_counted_by_provider()
    {
        var counted = new ConcurrentBag<string>();
        using var metrics = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "messaging.push.outcomes")
                    listener.EnableMeasurementEvents(instrument);
            },
        };
        metrics.SetMeasurementEventCallback<long>((_, _, tags, _) => counted.Add($"{tags[0].Value} {tags[1].Value}"));
        metrics.Start();
        GoogleSays = _ => Task.FromResult(new PushReply(404, new { error = new { status = "UNREGISTERED" } }));
        var raised = await RaiseAsync("android", "web");

        await using var worker = await WorkAsync();
        await Slices.UntilAsync($"SELECT count(*) = 2 FROM pushes WHERE state <> 'pending' AND notification_id = '{raised.Id}'");

        Assert.That(counted, Is.SupersetOf(new[] { "fcm bounced", "webpush sent" }));
    }

    [Test]
    public async Task A_server_that_fails_again_and_again_is_left_alone_and_no_other()
    {
        var lanes = new PushLanes(TimeProvider.System);
        await FailAsync(lanes, "fcm", "fcm");

        var (outcome, wait) = await lanes.TryAsync(
            "fcm", "fcm", _ => throw new AssertionException("It was tried."), CancellationToken.None);
        var other = await lanes.TryAsync("apns", "apns", Sends, CancellationToken.None);

        Assert.That((outcome, wait > Duration.Zero, lanes.IsOpen("fcm")), Is.EqualTo(((PushOutcome?)null, true, false)));
        Assert.That((other.Outcome!.Result, lanes.IsOpen("apns")), Is.EqualTo((PushResult.Sent, true)));
    }

    [Test]
    public async Task A_server_that_was_left_alone_is_tried_again_after_a_while()
    {
        var time = new MovedTime();
        var lanes = new PushLanes(time);
        await FailAsync(lanes, "fcm", "fcm");

        time.By = TimeSpan.FromSeconds(16);

        Assert.That(lanes.IsOpen("fcm"), Is.True);
        Assert.That((await lanes.TryAsync("fcm", "fcm", Sends, CancellationToken.None)).Outcome!.Result, Is.EqualTo(PushResult.Sent));
    }

    [Test]
    public async Task A_browser_s_server_that_has_the_name_of_a_provider_is_not_taken_for_it()
    {
        var lanes = new PushLanes(TimeProvider.System);

        await FailAsync(lanes, "webpush", "fcm");

        Assert.That((lanes.IsOpen("fcm"), lanes.IsOpen("webpush")), Is.EqualTo((true, true)));
    }

    private static async Task FailAsync(PushLanes lanes, string provider, string lane)
    {
        for (var i = 0; i < 5; i++)
        {
            await lanes.TryAsync(
                provider, lane, _ => Task.FromResult(new PushOutcome(PushResult.Retry, "timeout")), CancellationToken.None);
        }
    }

    private static Task<PushOutcome> Sends(CancellationToken ct) => Task.FromResult(new PushOutcome(PushResult.Sent));

    private sealed class MovedTime : TimeProvider
    {
        public TimeSpan By { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + By;
    }
}
