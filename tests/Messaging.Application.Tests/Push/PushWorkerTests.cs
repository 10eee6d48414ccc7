using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Threading.Channels;
using Messaging.Application.Push;
using Messaging.Infrastructure.Push;
using Messaging.Testing;
using Microsoft.Extensions.Logging.Abstractions;
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
    public async Task A_push_that_a_provider_took_of_a_node_that_died_comes_again_in_place_of_the_first()
    {
        var raised = await RaiseAsync("android");
        await Queue.MakeAsync(Targets, CancellationToken.None);
        var dead = (await Queue.ClaimAsync("fcm", ["android"], 1, CancellationToken.None)).Single();
        using (var provider = new FcmProvider(Settings, Pushes.Handlers(), Clock))
            await provider.SendAsync(dead.Message!, CancellationToken.None);
        Clock.Advance(PushQueue.Visibility);

        await using var worker = await WorkAsync();
        await UntilAsync(raised, "sent");

        var tags = Sent.Select(call => (string?)call.Json["message"]!["android"]!["notification"]!["tag"]);
        Assert.That(tags, Is.EqualTo(new[] { raised.Id.ToString("N"), raised.Id.ToString("N") }));
    }

    // As after a pause of the node, here while it sends the first one.
    [Test]
    public async Task A_push_that_another_node_may_have_claimed_meanwhile_is_not_sent()
    {
        await RaiseAsync("android");
        await RaiseAsync("android");
        await Queue.MakeAsync(Targets, CancellationToken.None);
        var settled = Channel.CreateUnbounded<SettledPush>();
        var provider = new Pausing(() => Time.By += PushQueue.Visibility.ToTimeSpan() / 2);
        using var sender = new PushSender(provider, Queue, new PushLanes(TimeProvider.System), settled.Writer);
        using var claiming = new CancellationTokenSource();

        var running = sender.RunAsync(NullLogger.Instance, claiming.Token, CancellationToken.None);
        await settled.Reader.ReadAsync();
        await claiming.CancelAsync();
        await running;

        Assert.That(provider.Count, Is.EqualTo(1));
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
    public async Task Browsers_of_one_user_that_do_not_answer_hold_up_nobody_else()
    {
        var hangs = new TaskCompletionSource();
        Browsers.Reply = async call =>
        {
            if (call.Line.Contains("/slow", StringComparison.Ordinal))
                await hangs.Task;
            return new PushReply(201);
        };
        var slow = await RaiseAsync();
        for (var i = 0; i < PushSender.Concurrency + 5; i++)
            await RegisterAsync(slow.User, "web", $"http://localhost:{new Uri(Browsers.Address).Port}/slow{i}", $"tab{i}");
        await Queue.MakeAsync(Targets, CancellationToken.None);
        Clock.Advance(Duration.FromSeconds(1));
        var raised = await RaiseAsync("web");

        await using var worker = await WorkAsync();
        await UntilAsync(raised, "sent");
        var failed = await Slices.ScalarAsync<int>("SELECT count(*)::integer FROM pushes WHERE error IS NOT NULL");
        var waiting = Browsers.Calls.Count(call => call.Line.Contains("/slow", StringComparison.Ordinal));
        hangs.SetResult();

        Assert.That((failed, waiting <= 4), Is.EqualTo((0, true)));
    }

    [Test]
    public async Task A_push_that_could_not_be_sent_for_a_day_is_given_up()
    {
        var raised = await RaiseAsync("android");
        await Queue.MakeAsync(Targets, CancellationToken.None);
        Clock.Advance(PushQueue.Lifetime);

        await using var worker = await WorkAsync();
        await UntilAsync(raised, "failed");

        Assert.That(Sent, Is.Empty);
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
        await FailAsync(lanes, Fcm);

        var (outcome, wait) = await lanes.TryAsync(
            Fcm, "anna", _ => throw new AssertionException("It was tried."), CancellationToken.None);
        var other = await lanes.TryAsync(new PushLane("apns", null), "anna", Sends, CancellationToken.None);

        Assert.That((outcome, wait > Duration.Zero, lanes.IsOpen("fcm")), Is.EqualTo(((PushOutcome?)null, true, false)));
        Assert.That((other.Outcome!.Result, lanes.IsOpen("apns")), Is.EqualTo((PushResult.Sent, true)));
    }

    [Test]
    public async Task A_server_that_was_left_alone_is_tried_again_after_a_while()
    {
        var time = new MovedTime();
        var lanes = new PushLanes(time);
        await FailAsync(lanes, Fcm);

        time.By = TimeSpan.FromSeconds(16);

        Assert.That(lanes.IsOpen("fcm"), Is.True);
        Assert.That((await lanes.TryAsync(Fcm, "anna", Sends, CancellationToken.None)).Outcome!.Result, Is.EqualTo(PushResult.Sent));
    }

    [TestCase("fcm")]
    [TestCase("webpush")]
    public async Task A_browser_s_server_that_has_the_name_of_a_provider_is_not_taken_for_it(string name)
    {
        var lanes = new PushLanes(TimeProvider.System);

        await FailAsync(lanes, new PushLane("webpush", name));

        Assert.That((lanes.IsOpen("fcm"), lanes.IsOpen("webpush")), Is.EqualTo((true, true)));
    }

    [Test]
    public async Task Servers_that_have_not_answered_promptly_share_a_few_places_and_prompt_ones_have_the_others()
    {
        var (lanes, hangs) = (new PushLanes(TimeProvider.System), new TaskCompletionSource<PushOutcome>());
        await TryAsync("prompt", "anna", Sends);
        var slow = Enumerable.Range(0, PushSender.Concurrency).Select(i => TryAsync($"slow{i}", $"user{i}", _ => hangs.Task)).ToList();

        var (unknown, prompt) = (await TryAsync("unknown", "anna", Sends), await TryAsync("prompt", "anna", Sends));
        hangs.SetResult(new PushOutcome(PushResult.Retry, "timeout"));

        Assert.That((unknown.Outcome, prompt.Outcome?.Result), Is.EqualTo(((PushOutcome?)null, (PushResult?)PushResult.Sent)));
        Assert.That((await Task.WhenAll(slow)).Count(one => one.Outcome is not null), Is.EqualTo(PushSender.Concurrency / 4));
        Assert.That((await TryAsync("unknown", "anna", Sends)).Outcome?.Result, Is.EqualTo(PushResult.Sent));

        Task<(PushOutcome? Outcome, Duration Wait)> TryAsync(string server, string user, Func<CancellationToken, Task<PushOutcome>> send) =>
            lanes.TryAsync(new PushLane("webpush", server), user, send, CancellationToken.None);
    }

    [Test]
    public async Task Servers_that_were_prompt_and_hang_keep_but_a_few_places_and_none_for_long()
    {
        var (time, hangs) = (new MovedTime(), new Hanging());
        var lanes = new PushLanes(time);
        foreach (var server in Enumerable.Range(0, PushSender.Concurrency))
            await TryAsync(server, Sends);
        var hung = Enumerable.Range(0, PushSender.Concurrency).Select(server => TryAsync(server, hangs.SendAsync)).ToList();

        time.By = TimeSpan.FromSeconds(2);
        await hangs.UntilAsync(PushSender.Concurrency / 4);
        var next = await TryAsync(0, Sends);
        time.By = TimeSpan.FromSeconds(5);
        var outcomes = (await Task.WhenAll(hung)).Select(one => one.Outcome);

        Assert.That(next.Outcome, Is.Null, "those that hang have all places of the slow");
        Assert.That(outcomes, Is.All.EqualTo(new PushOutcome(PushResult.Retry, "timeout")));

        Task<(PushOutcome? Outcome, Duration Wait)> TryAsync(int server, Func<CancellationToken, Task<PushOutcome>> send) =>
            lanes.TryAsync(new PushLane("webpush", $"s{server}"), $"user{server}", send, CancellationToken.None);
    }

    [Test]
    public async Task A_user_s_pushes_that_find_no_place_come_again_one_after_the_other()
    {
        var (lanes, hangs) = (new PushLanes(new MovedTime()), new TaskCompletionSource<PushOutcome>());
        await TryAsync("anna", Sends);
        var tried = Enumerable.Range(0, 7).Select(_ => TryAsync("anna", _ => hangs.Task)).ToList();

        var other = await TryAsync("ben", Sends);
        hangs.SetResult(new PushOutcome(PushResult.Sent));

        Assert.That(
            from one in await Task.WhenAll(tried) select Math.Round(one.Wait.TotalSeconds), Is.EqualTo(new[] { 0, 0, 0, 0, 1, 2, 3 }));
        Assert.That(other.Outcome?.Result, Is.EqualTo(PushResult.Sent));

        Task<(PushOutcome? Outcome, Duration Wait)> TryAsync(string user, Func<CancellationToken, Task<PushOutcome>> send) =>
            lanes.TryAsync(new PushLane("webpush", "prompt"), user, send, CancellationToken.None);
    }

    private static readonly PushLane Fcm = new("fcm", Server: null);

    private static async Task FailAsync(PushLanes lanes, PushLane lane)
    {
        for (var i = 0; i < 5; i++)
        {
            await lanes.TryAsync(
                lane, "anna", _ => Task.FromResult(new PushOutcome(PushResult.Retry, "timeout")), CancellationToken.None);
        }
    }

    private static Task<PushOutcome> Sends(CancellationToken ct) => Task.FromResult(new PushOutcome(PushResult.Sent));

    private sealed class Pausing(Action pause) : IPushProvider
    {
        public string Name => "fcm";

        public bool IsConfigured => true;

        public IReadOnlyCollection<string> Platforms => ["android"];

        public int Count { get; private set; }

        public Task<PushOutcome> SendAsync(PushMessage push, CancellationToken ct)
        {
            Count++;
            pause();
            return Sends(ct);
        }
    }

    /// <summary>Servers that never answer.</summary>
    private sealed class Hanging
    {
        private int running;

        public async Task<PushOutcome> SendAsync(CancellationToken ct)
        {
            Interlocked.Increment(ref running);
            try
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, ct);
                return new PushOutcome(PushResult.Sent);
            }
            finally
            {
                Interlocked.Decrement(ref running);
            }
        }

        public Task UntilAsync(int expected) => Eventually.HoldsAsync(
            () => Volatile.Read(ref running) == expected, $"{expected} calls are left");
    }
}
