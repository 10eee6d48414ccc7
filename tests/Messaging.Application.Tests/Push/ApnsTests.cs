using System.Security.Cryptography;
using System.Text;
using Messaging.Application.Push;
using Messaging.Infrastructure.Push;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.IdentityModel.Tokens;
using NodaTime;

namespace Messaging.Application.Tests.Push;

public sealed class ApnsTests
{
    private readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly MovingTime clock = new();
    private PushServer server = null!;
    private ApnsProvider provider = null!;

    [SetUp]
    public async Task StartAsync()
    {
        server = await PushServer.StartAsync(HttpProtocols.Http2);
        provider = new ApnsProvider(
            new PushSettings
            {
                Apns = new ApnsSettings
                {
                    KeyId = "ABCDE12345",
                    TeamId = "TEAM123456",
                    PrivateKey = key.ExportPkcs8PrivateKeyPem(),
                    Topic = "com.example.chat",
                    Address = server.Address,
                },
            },
            Pushes.Handlers(), clock);
    }

    [TearDown]
    public async Task StopAsync()
    {
        provider.Dispose();
        await server.DisposeAsync();
    }

    [OneTimeTearDown]
    public void Dispose() => key.Dispose();

    [Test]
    public async Task A_push_has_the_path_headers_and_body_that_Apple_asks_for()
    {
        server.Answer(200, null, ("apns-id", "EC1BF194-B3B2-424A-89C2-5A918A6E6B4C"));
        var push = Pushes.To(Phone("00fc13adff785122"));

        var outcome = await provider.SendAsync(push, CancellationToken.None);

        var call = server.Calls.Single();
        Assert.That(outcome, Is.EqualTo(new PushOutcome(PushResult.Sent, ProviderId: "EC1BF194-B3B2-424A-89C2-5A918A6E6B4C")));
        Assert.That(call.Line, Is.EqualTo("HTTP/2 POST /3/device/00fc13adff785122"));
        Assert.That(
            from name in new[] { "apns-topic", "apns-push-type", "apns-priority", "apns-collapse-id", "apns-expiration" }
            select call.Headers[name],
            Is.EqualTo(new[]
            {
                "com.example.chat", "alert", "10", "0197aaaa00007000800000000000000a", $"{push.ExpiresAt.ToUnixTimeSeconds()}",
            }));
        Assert.That(call.Json["aps"]!.ToJsonString(), Is.EqualTo(
            """{"badge":7,"thread-id":"0197bbbb-0000-7000-8000-00000000000b","alert":{"title":"Ben","body":"See you at 8"},"""
            + "\"sound\":\"default\"}"));
        Assert.That((string?)call.Json["conversationId"], Is.EqualTo("0197bbbb-0000-7000-8000-00000000000b"));
    }

    [Test]
    public async Task The_provider_token_can_be_verified_and_is_the_same_for_40_minutes()
    {
        await SendAsync();
        clock.Advance(Duration.FromMinutes(39));
        await SendAsync();
        clock.Advance(Duration.FromMinutes(2));
        await SendAsync();

        var tokens = server.Calls.Select(call => call.Token).ToList();
        Assert.That((tokens[0] == tokens[1], tokens[1] == tokens[2]), Is.EqualTo((true, false)));
        var token = await Pushes.VerifyAsync(tokens[0], new ECDsaSecurityKey(key), audience: null);
        Assert.That((token.Alg, token.Kid, token.Issuer), Is.EqualTo(("ES256", "ABCDE12345", "TEAM123456")));
    }

    [Test]
    public async Task A_token_that_Apple_takes_for_expired_is_made_anew()
    {
        server.Answer(403, new { reason = "ExpiredProviderToken" });
        var refused = await SendAsync();
        server.Answer(200);
        clock.Advance(Duration.FromSeconds(1));

        var sent = await SendAsync();

        Assert.That((refused.Result, sent.Result), Is.EqualTo((PushResult.Retry, PushResult.Sent)));
        Assert.That(server.Calls.Select(call => call.Token).Distinct().Count(), Is.EqualTo(2));
    }

    [TestCase(410, "Unregistered", PushResult.Bounced)]
    [TestCase(400, "BadDeviceToken", PushResult.Bounced)]
    [TestCase(400, "DeviceTokenNotForTopic", PushResult.Bounced)]
    [TestCase(400, "PayloadEmpty", PushResult.Failed)]
    [TestCase(429, "TooManyRequests", PushResult.Retry)]
    [TestCase(500, "InternalServerError", PushResult.Retry)]
    [TestCase(503, "Shutdown", PushResult.Retry)]
    public async Task A_reason_says_what_to_do(int status, string reason, PushResult result)
    {
        server.Answer(status, new { reason, timestamp = 1 });

        Assert.That(await SendAsync(), Is.EqualTo(new PushOutcome(result, reason)));
    }

    [Test]
    public async Task A_text_that_is_too_long_is_cut_between_characters_to_4_KiB()
    {
        await provider.SendAsync(Pushes.To(Phone("aa"), string.Concat(Enumerable.Repeat("e\u0301", 10_000))), CancellationToken.None);

        var call = server.Calls.Single();
        Assert.That(call.Body, Has.Length.InRange(4_090, 4_096));
        Assert.That((string?)call.Json["aps"]!["alert"]!["body"], Does.Match("^(e\u0301)+…$"));
    }

    private static PushDevice Phone(string token) => new("phone", "ios", token, P256dh: null, Auth: null);

    private Task<PushOutcome> SendAsync() => provider.SendAsync(Pushes.To(Phone("aa")), CancellationToken.None);
}
