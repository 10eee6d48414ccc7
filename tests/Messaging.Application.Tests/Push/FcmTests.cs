using System.Security.Cryptography;
using Messaging.Application.Push;
using Messaging.Infrastructure.Push;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.IdentityModel.Tokens;
using NodaTime;

namespace Messaging.Application.Tests.Push;

public sealed class FcmTests
{
    private const string SendLine = "HTTP/1.1 POST /v1/projects/chat-test/messages:send";

    private readonly RSA key = RSA.Create(2048);
    private readonly MovingTime clock = new();
    private PushServer google = null!;
    private FcmProvider provider = null!;
    private PushReply reply = null!;
    private int tokens;

    [SetUp]
    public async Task StartAsync()
    {
        (reply, tokens) = (new PushReply(200, new { name = "projects/chat-test/messages/1" }), 0);
        google = await PushServer.StartAsync();
        google.Reply = call => Task.FromResult(
            call.Line.EndsWith("/token", StringComparison.Ordinal)
            ? new PushReply(200, new { access_token = $"bearer-{Interlocked.Increment(ref tokens)}", expires_in = 3_599 })
            : reply);
        provider = new FcmProvider(
            new PushSettings
            {
                Fcm = new FcmSettings
                {
                    ServiceAccount = Pushes.ServiceAccount(key.ExportPkcs8PrivateKeyPem(), $"{google.Address}/token"),
                    Address = google.Address,
                },
            },
            Pushes.Handlers(), clock);
    }

    [TearDown]
    public async Task StopAsync()
    {
        provider.Dispose();
        await google.DisposeAsync();
    }

    [OneTimeTearDown]
    public void Dispose() => key.Dispose();

    [Test]
    public async Task A_message_is_what_the_HTTP_API_v1_takes()
    {
        var outcome = await provider.SendAsync(Pushes.To(Phone("android")), CancellationToken.None);

        Assert.That(outcome, Is.EqualTo(new PushOutcome(PushResult.Sent, ProviderId: "projects/chat-test/messages/1")));
        var call = google.Calls[^1];
        Assert.That((call.Line, call.Headers["Authorization"]), Is.EqualTo((SendLine, "Bearer bearer-1")));
        var message = call.Json["message"]!;
        Assert.That((string?)message["token"], Is.EqualTo("fcm-token"));
        Assert.That(message["notification"]!.ToJsonString(), Is.EqualTo("""{"title":"Ben","body":"See you at 8"}"""));
        Assert.That(message["data"]!.ToJsonString(), Is.EqualTo(
            """
            {"id":"0197aaaa-0000-7000-8000-00000000000a","type":"message","conversationId":"0197bbbb-0000-7000-8000-00000000000b",
            """.Trim() + "\"messageId\":\"0197cccc-0000-7000-8000-00000000000c\"}"));
        var android = message["android"]!;
        Assert.That(
            ((string?)android["collapse_key"], (string?)android["priority"], (string?)android["notification"]!["tag"],
                (int?)android["notification"]!["notification_count"]),
            Is.EqualTo(("0197aaaa00007000800000000000000a", "HIGH", "0197aaaa00007000800000000000000a", 7)));
        Assert.That((string?)android["ttl"], Does.Match(@"^3[56]\d\ds$"));
        Assert.That(message["apns"], Is.Null);
    }

    [Test]
    public async Task A_device_of_Apples_gets_its_badge_through_Firebase()
    {
        await provider.SendAsync(Pushes.To(Phone("ios")), CancellationToken.None);

        var apns = google.Calls[^1].Json["message"]!["apns"]!;
        Assert.That((string?)apns["headers"]!["apns-collapse-id"], Is.EqualTo("0197aaaa00007000800000000000000a"));
        Assert.That(apns["payload"]!.ToJsonString(), Is.EqualTo(
            """{"aps":{"badge":7,"thread-id":"0197bbbb-0000-7000-8000-00000000000b","sound":"default"}}"""));
    }

    [Test]
    public async Task The_token_is_asked_for_with_a_signed_claim()
    {
        await SendAsync();

        var call = google.Calls[0];
        var form = QueryHelpers.ParseQuery(System.Text.Encoding.UTF8.GetString(call.Body));
        Assert.That(
            (call.Line, form["grant_type"].ToString()),
            Is.EqualTo(("HTTP/1.1 POST /token", "urn:ietf:params:oauth:grant-type:jwt-bearer")));
        var token = await Pushes.VerifyAsync(form["assertion"].ToString(), new RsaSecurityKey(key), $"{google.Address}/token");
        Assert.That(
            (token.Alg, token.Kid, token.Issuer, token.GetClaim("scope").Value),
            Is.EqualTo((
                "RS256", "key-1", "push@chat-test.iam.gserviceaccount.com", "https://www.googleapis.com/auth/firebase.messaging")));
    }

    [Test]
    public async Task The_token_is_kept_until_shortly_before_it_expires_and_asked_for_once_by_many()
    {
        await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => SendAsync()));
        clock.Advance(Duration.FromMinutes(54));
        await SendAsync();
        Assert.That(tokens, Is.EqualTo(1));
        clock.Advance(Duration.FromMinutes(2));

        await SendAsync();

        Assert.That((tokens, google.Calls[^1].Token), Is.EqualTo((2, "bearer-2")));
    }

    [Test]
    public async Task A_token_that_cannot_be_had_is_asked_for_once_by_many()
    {
        var fails = new TaskCompletionSource<PushReply>();
        google.Reply = _ => fails.Task;
        var sent = Enumerable.Range(0, 10).Select(_ => SendAsync()).ToList();
        fails.SetResult(new PushReply(503));

        Assert.That(await Task.WhenAll(sent), Is.All.EqualTo(new PushOutcome(PushResult.Retry, "no-token")));
        Assert.That(google.Calls, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_token_that_is_refused_is_asked_for_anew()
    {
        reply = new PushReply(401, Error("UNAUTHENTICATED"));
        var refused = await SendAsync();
        reply = new PushReply(200);

        var sent = await SendAsync();

        Assert.That((refused.Result, sent.Result, tokens), Is.EqualTo((PushResult.Retry, PushResult.Sent, 2)));
    }

    [TestCase(404, "UNREGISTERED", PushResult.Bounced)]
    [TestCase(400, "INVALID_ARGUMENT", PushResult.Bounced)]
    [TestCase(403, "SENDER_ID_MISMATCH", PushResult.Bounced)]
    [TestCase(404, "NOT_FOUND", PushResult.Failed)]
    [TestCase(429, "QUOTA_EXCEEDED", PushResult.Retry)]
    [TestCase(503, "UNAVAILABLE", PushResult.Retry)]
    public async Task An_error_says_what_to_do(int status, string code, PushResult result)
    {
        reply = new PushReply(status, Error(code)) { Headers = [("Retry-After", "30")] };

        var outcome = await SendAsync();

        Assert.That(outcome, Is.EqualTo(new PushOutcome(result, code)
        {
            RetryAfter = result is PushResult.Retry ? Duration.FromSeconds(30) : null,
        }));
    }

    [Test]
    public async Task An_argument_that_is_not_the_token_costs_no_device_its_registration()
    {
        reply = new PushReply(400, Error("INVALID_ARGUMENT", new { fieldViolations = new[] { new { field = "message.android.ttl" } } }));

        Assert.That((await SendAsync()).Result, Is.EqualTo(PushResult.Failed));
    }

    [Test]
    public async Task Words_of_an_answer_are_not_kept()
    {
        reply = new PushReply(400, Error("See you at 8"));

        Assert.That(await SendAsync(), Is.EqualTo(new PushOutcome(PushResult.Failed, "http-400")));
    }

    private static PushDevice Phone(string platform) => new("phone", platform, "fcm-token", P256dh: null, Auth: null);

    private static object Error(string code, object? detail = null) => new
    {
        error = new
        {
            message = "See you at 8",
            status = code,
            details = new object[]
            {
                new Dictionary<string, object>(StringComparer.Ordinal)
                {
                    ["@type"] = "type.googleapis.com/google.firebase.fcm.v1.FcmError",
                    ["errorCode"] = code,
                },
                detail ?? new { },
            },
        },
    };

    private Task<PushOutcome> SendAsync() => provider.SendAsync(Pushes.To(Phone("android")), CancellationToken.None);
}
