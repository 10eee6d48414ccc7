using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Messaging.Domain.Webhooks;
using Messaging.Infrastructure.Outbound;
using Messaging.Infrastructure.Webhooks;
using NodaTime;

namespace Messaging.Api.Tests.Webhooks;

public sealed class WebhookClientTests : WebhookClientFixture
{
    private const string TooLate = "There was no whole answer within 15 s.";

    [Test]
    public async Task A_call_brings_the_bytes_its_id_and_a_signature_by_each_secret()
    {
        var other = WebhookSecret.New().Reveal();
        await using var receiver = Receiver.Answering(Receiver.Ok);
        using var client = Client();
        var call = Call(receiver.Url, other, Secret);

        var outcome = await client.SendAsync(call, CancellationToken.None);

        Assert.That(outcome, Has.Property("IsDelivered").True.And.Property("Status").EqualTo(200).And.Property("Error").Null);
        var received = receiver.Calls.Single();
        var signatures = call.Secrets.Select(secret => WebhookSecret.Parse(secret).Sign("event-1", call.Timestamp, call.Body.Span));
        Assert.That(received.Body, Is.EqualTo(call.Body.ToArray()));
        Assert.That(received.Header("webhook-id"), Is.EqualTo("event-1"));
        Assert.That(received.Header("webhook-timestamp"), Is.EqualTo($"{call.Timestamp.ToUnixTimeSeconds()}"));
        Assert.That(received.Header("webhook-signature"), Is.EqualTo(string.Join(' ', signatures)));
    }

    [Test]
    public async Task A_call_tells_nothing_of_the_service_and_nothing_that_the_receiver_has_set_before()
    {
        await using var receiver = Receiver.Answering("HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n");
        using var client = Client();
        using var activity = new Activity("a request's").SetIdFormat(ActivityIdFormat.W3C).Start();

        await client.SendAsync(Call(receiver.Url), CancellationToken.None);
        await client.SendAsync(Call(receiver.Url), CancellationToken.None);

        Assert.That(receiver.Calls.Last().HeaderNames, Is.EquivalentTo(new[]
        {
            "Host", "User-Agent", "webhook-id", "webhook-timestamp", "webhook-signature", "Content-Type", "Content-Length",
        }));
        Assert.That(receiver.Connections, Is.EqualTo(1), "one connection serves both");
    }

    [TestCase(301)]
    [TestCase(302)]
    [TestCase(307)]
    [TestCase(308)]
    public async Task A_redirect_is_not_followed(int status)
    {
        await using var other = Receiver.Answering(Receiver.Ok);
        await using var receiver = Receiver.Answering($"HTTP/1.1 {status} Moved\r\nLocation: {other.Url}\r\nContent-Length: 0\r\n\r\n");
        using var client = Client();

        var outcome = await client.SendAsync(Call(receiver.Url), CancellationToken.None);

        Assert.That(outcome, Has.Property("IsDelivered").False.And.Property("Status").EqualTo(status));
        Assert.That(other.Connections, Is.Zero);
    }

    [Test]
    public async Task The_proxy_of_the_environment_is_not_used()
    {
        await using var proxy = Receiver.Answering("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
        await using var receiver = Receiver.Answering(Receiver.Ok);
        var former = HttpClient.DefaultProxy;
        HttpClient.DefaultProxy = new ProxyOfOne(Name, new Uri($"http://127.0.0.1:{proxy.Port}"));
        try
        {
            using var client = Client(new Names("127.0.0.1"));
            var outcome = await client.SendAsync(Call(new Uri($"http://{Name}:{receiver.Port}/")), CancellationToken.None);
            Assert.That((outcome.Status, proxy.Connections), Is.EqualTo(((int?)200, 0)));
        }
        finally
        {
            HttpClient.DefaultProxy = former;
        }
    }

    [Test]
    public async Task An_endless_answer_is_given_up_after_64_KiB_and_its_connection_closed()
    {
        var sent = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var receiver = new Receiver((stream, _, ct) => PourAsync(stream, sent, ct));
        using var client = Client();

        var outcome = await client.SendAsync(Call(receiver.Url), CancellationToken.None);

        Assert.That(outcome, Has.Property("IsDelivered").True);
        // What the systems on both sides keep for a slow reader.
        Assert.That(await sent.Task.WaitAsync(TimeSpan.FromMinutes(1)), Is.LessThan(16 * 1024 * 1024));
    }

    [Test]
    public async Task An_answer_that_does_not_begin_is_waited_for_15_s()
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var receiver = new Receiver(async (_, _, ct) =>
        {
            reached.SetResult();
            await Task.Delay(Timeout.Infinite, ct);
        });
        var time = new HandTime();
        using var client = Client(time: time);

        var sending = client.SendAsync(Call(receiver.Url), CancellationToken.None);
        await reached.Task;
        time.Pass(TimeSpan.FromSeconds(15));

        var outcome = await sending.WaitAsync(TimeSpan.FromMinutes(1));
        Assert.That((outcome.Status, outcome.Error), Is.EqualTo(((int?)null, TooLate)));
    }

    [Test]
    public async Task An_answer_that_drips_is_read_for_15_s()
    {
        var dripping = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var receiver = new Receiver(async (stream, _, ct) =>
        {
            await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\na"u8.ToArray(), ct);
            dripping.SetResult();
            await Task.Delay(Timeout.Infinite, ct);
        });
        var time = new HandTime();
        using var client = Client(time: time);

        var sending = client.SendAsync(Call(receiver.Url), CancellationToken.None);
        await dripping.Task;
        time.Pass(TimeSpan.FromSeconds(15));

        var outcome = await sending.WaitAsync(TimeSpan.FromMinutes(1));
        Assert.That((outcome.IsDelivered, outcome.Error), Is.EqualTo((false, TooLate)));
    }

    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "The answer broke off.")]
    [TestCase("nonsense\r\n\r\n", "The answer is not HTTP.")]
    [TestCase("", "The connection ended without an answer.")]
    public async Task An_answer_that_is_none_is_a_failure(string bytes, string error)
    {
        await using var receiver = new Receiver(async (stream, _, ct) =>
        {
            await stream.WriteAsync(Encoding.Latin1.GetBytes(bytes), ct);
            throw new IOException("Closes the connection.");
        });
        using var client = Client();

        var outcome = await client.SendAsync(Call(receiver.Url), CancellationToken.None);

        Assert.That(outcome, Has.Property("IsDelivered").False.And.Property("Error").EqualTo(error));
        Assert.That(receiver.Calls, Has.Count.EqualTo(1), "what was sent is not sent again");
    }

    [Test]
    public async Task Headers_are_read_to_16_KiB() => Assert.That(
        (await OutcomeAsync($"HTTP/1.1 200 OK\r\nX-Long: {new string('a', 17 * 1024)}\r\nContent-Length: 0\r\n\r\n")).Error,
        Is.EqualTo("The answer has too large headers."));

    [TestCase("120", 120.0)]
    [TestCase("0", 0.0)]
    [TestCase("999999999", 86_400.0)]
    [TestCase("Sun, 06 Nov 1994 08:49:37 GMT", 0.0)]
    [TestCase("Fri, 31 Dec 9999 23:59:59 GMT", 86_400.0)]
    [TestCase("-5", null)]
    [TestCase("99999999999999999999", null)]
    [TestCase("soon", null)]
    public async Task A_time_to_wait_is_taken_within_reason(string header, double? seconds)
    {
        var outcome = await OutcomeAsync($"HTTP/1.1 503 Busy\r\nRetry-After: {header}\r\nContent-Length: 0\r\n\r\n");

        Assert.That(outcome.RetryAfter?.TotalSeconds, Is.EqualTo(seconds));
    }

    [Test]
    public async Task Calls_that_hang_leave_connections_to_others_at_their_host()
    {
        Receiver receiver = null!;
        await using var host = receiver = new Receiver(async (stream, before, ct) =>
        {
            if (receiver.Calls.ElementAt(before).Head.Contains("/slow", StringComparison.Ordinal))
                await Task.Delay(Timeout.Infinite, ct);
            await stream.WriteAsync(Encoding.Latin1.GetBytes(Receiver.Ok), ct);
        });
        using var stop = new CancellationTokenSource();
        using var client = Client(time: new HandTime());
        var slow = Enumerable.Range(0, 100)
            .Select(_ => client.SendAsync(Call(new Uri(receiver.Url, "/slow")), stop.Token)).ToList();

        var outcome = await client.SendAsync(Call(receiver.Url), CancellationToken.None).WaitAsync(TimeSpan.FromMinutes(1));

        Assert.That(outcome.IsDelivered, Is.True);
        await stop.CancelAsync();
        Assert.That(() => Task.WhenAll(slow), Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public async Task Names_that_are_looked_up_for_long_hold_up_others_only_where_there_are_too_many()
    {
        using var known = new ManualResetEventSlim();
        using var names = new SystemNames(LookUp, TimeSpan.FromMilliseconds(50));
        var slow = Enumerable.Range(1, SystemNames.Threads - 1).Select(i => names.ResolveAsync($"slow-{i}", default)).ToList();
        Assert.That(await names.ResolveAsync("quick", default), Is.EqualTo((IPAddress[])[IPAddress.Loopback]));

        slow.Add(names.ResolveAsync("slow", default));

        Assert.That(() => names.ResolveAsync("quick", default), Throws.InstanceOf<SocketException>());
        known.Set();
        await Task.WhenAll(slow);
        Assert.That(await names.ResolveAsync("quick", default), Is.EqualTo((IPAddress[])[IPAddress.Loopback]));

        IPAddress[] LookUp(string name)
        {
            if (name != "quick")
                known.Wait();
            return [IPAddress.Loopback];
        }
    }

    [Test]
    public async Task Where_no_connection_was_made_it_is_tried_once_more()
    {
        await using var receiver = Receiver.Answering(Receiver.Ok);
        var names = new Names(null, "127.0.0.1");
        using var client = Client(names);

        var outcome = await client.SendAsync(Call(new Uri($"http://{Name}:{receiver.Port}/")), CancellationToken.None);

        Assert.That(outcome.IsDelivered, Is.True);
        Assert.That(names.Asked, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task Where_nobody_listens_the_call_is_a_failure()
    {
        var receiver = Receiver.Answering(Receiver.Ok);
        var url = receiver.Url;
        await receiver.DisposeAsync();
        using var client = Client();

        Assert.That((await client.SendAsync(Call(url), CancellationToken.None)).Error, Is.EqualTo("The connection was refused."));
    }

    [Test]
    public async Task A_call_that_is_called_off_ends()
    {
        using var stop = new CancellationTokenSource();
        await using var receiver = new Receiver(async (_, _, ct) =>
        {
            await stop.CancelAsync();
            await Task.Delay(Timeout.Infinite, ct);
        });
        using var client = Client();

        Assert.That(() => client.SendAsync(Call(receiver.Url), stop.Token), Throws.InstanceOf<OperationCanceledException>());
    }

    private static async Task PourAsync(Stream stream, TaskCompletionSource<long> sent, CancellationToken ct)
    {
        await stream.WriteAsync("HTTP/1.1 200 OK\r\n\r\n"u8.ToArray(), ct);
        var (chunk, total) = (new byte[64 * 1024], 0L);
        try
        {
            for (; total < 1L << 30; total += chunk.Length)
                await stream.WriteAsync(chunk, ct);
        }
        finally
        {
            sent.SetResult(total);
        }
    }

    private sealed class ProxyOfOne(string host, Uri proxy) : IWebProxy
    {
        public ICredentials? Credentials { get; set; }

        public Uri? GetProxy(Uri destination) => destination.Host == host ? proxy : null;

        bool IWebProxy.IsBypassed(Uri destination) => destination.Host != host;
    }
}
