using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Messaging.Application.Push;
using Messaging.Infrastructure.Push;
using NodaTime;

namespace Messaging.Application.Tests.Push;

public sealed class WebPushTests
{
    private static readonly VapidKeys Keys = VapidKeys.Make();

    private readonly Browser browser = new();
    private PushServer server = null!;
    private WebPushProvider provider = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        server = await PushServer.StartAsync();
        provider = Provider(Pushes.Handlers());
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        provider.Dispose();
        browser.Dispose();
        await server.DisposeAsync();
    }

    // Appendix A.
    [Test]
    public void The_example_of_RFC_8291_is_encrypted_to_the_letter()
    {
        var senderKey = Base64Url.DecodeFromChars(
            "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8");
        using var sender = ECDiffieHellman.Create(new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP256,
            D = Base64Url.DecodeFromChars("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"),
            Q = new ECPoint { X = senderKey[1..33], Y = senderKey[33..] },
        });

        var encrypted = WebPushEncryption.Encrypt(
            "When I grow up, I want to be a watermelon"u8,
            Base64Url.DecodeFromChars("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
            Base64Url.DecodeFromChars("BTBZMqHH6r4Tts7J_aSIgg"), sender, Base64Url.DecodeFromChars("DGv6ra1nlYgDCS1FRnbzlw"));

        Assert.That(Base64Url.EncodeToString(encrypted), Is.EqualTo(
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6"
            + "cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"));
    }

    [Test]
    public async Task A_browser_reads_what_it_was_sent_under_headers_that_push_services_ask_for()
    {
        server.Answer(201, null, ("Location", "https://push.test/m/1"));
        var push = Pushes.To(browser.At($"{server.Address}/wp/browser-1"));

        var outcome = await provider.SendAsync(push, CancellationToken.None);

        var call = server.Calls.Single(one => one.Line == "HTTP/1.1 POST /wp/browser-1");
        Assert.That(outcome, Is.EqualTo(new PushOutcome(PushResult.Sent, ProviderId: "https://push.test/m/1")));
        Assert.That(
            (call.Headers["Content-Encoding"], call.Headers["Urgency"], call.Headers["Topic"]),
            Is.EqualTo(("aes128gcm", "high", "0197aaaa00007000800000000000000a")));
        Assert.That(int.Parse(call.Headers["TTL"], null), Is.InRange(1, 3_600));
        var json = JsonNode.Parse(browser.Decrypt(call.Body))!;
        Assert.That(
            (json["id"]!.GetValue<Guid>(), (string?)json["title"], (string?)json["body"], (int?)json["count"], (int?)json["badge"]),
            Is.EqualTo((push.NotificationId, "Ben", "See you at 8", 2, 7)));
    }

    [Test]
    public async Task The_push_service_learns_who_sends_by_a_token_for_its_own_origin_that_others_can_verify()
    {
        server.Answer(201);

        await provider.SendAsync(Pushes.To(browser.At($"{server.Address}/wp/signed")), CancellationToken.None);

        var header = server.Calls.Single(one => one.Line.EndsWith("/wp/signed", StringComparison.Ordinal)).Headers["Authorization"];
        Assert.That(header, Does.Match($"^vapid t=[^ ,]+, k={Keys.PublicKey}$"));
        var token = await Pushes.VerifyAsync(
            header[8..header.IndexOf(',', StringComparison.Ordinal)], Pushes.PublicKey(Keys.PublicKey), server.Address);
        Assert.That((token.Alg, token.Subject), Is.EqualTo(("ES256", "mailto:push@test")));
        Assert.That(token.ValidTo - DateTime.UtcNow, Is.LessThanOrEqualTo(TimeSpan.FromHours(24)));
    }

    [TestCase(404, PushResult.Bounced)]
    [TestCase(410, PushResult.Bounced)]
    [TestCase(413, PushResult.Failed)]
    [TestCase(302, PushResult.Failed)]
    [TestCase(429, PushResult.Retry)]
    [TestCase(503, PushResult.Retry)]
    public async Task A_refusal_says_whether_to_try_again(int status, PushResult result)
    {
        server.Answer(status, new { message = "See you at 8" }, ("Retry-After", "120"), ("Location", "/elsewhere"));

        var outcome = await provider.SendAsync(Pushes.To(browser.At($"{server.Address}/wp/refused")), CancellationToken.None);

        Assert.That(outcome.Result, Is.EqualTo(result));
        Assert.That(outcome.RetryAfter, Is.EqualTo(result is PushResult.Retry ? Duration.FromMinutes(2) : (Duration?)null));
        Assert.That(outcome.ToString(), Does.Not.Contain("See you"));
        Assert.That(server.Calls.Select(call => call.Line), Has.None.Contains("elsewhere"));
    }

    [Test]
    public async Task A_text_that_is_too_long_is_cut_between_characters()
    {
        server.Answer(201);
        var body = string.Concat(Enumerable.Repeat("👩‍👩‍👧", 2_000));

        await provider.SendAsync(Pushes.To(browser.At($"{server.Address}/wp/long"), body), CancellationToken.None);

        var call = server.Calls.Single(one => one.Line.EndsWith("/wp/long", StringComparison.Ordinal));
        Assert.That(call.Body, Has.Length.InRange(4_096 - "👩‍👩‍👧".Length * 3, 4_096));
        Assert.That((string?)JsonNode.Parse(browser.Decrypt(call.Body))!["body"], Does.Match("^(👩‍👩‍👧)+…$"));
    }

    [TestCase("BAAA", "BTBZMqHH6r4Tts7J_aSIgg")]
    [TestCase("BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "BTBZMqHH6r4Tts7J_aSIgg")]
    [TestCase("not base64url!", "BTBZMqHH6r4Tts7J_aSIgg")]
    public async Task Keys_that_are_none_bounce_without_a_call(string key, string secret)
    {
        var device = new PushDevice("browser", "web", $"{server.Address}/wp/none", key, secret);

        var outcome = await provider.SendAsync(Pushes.To(device), CancellationToken.None);

        Assert.That(outcome.Result, Is.EqualTo(PushResult.Bounced));
        Assert.That(server.Calls.Select(call => call.Line), Has.None.Contains("/wp/none"));
    }

    [Test]
    public async Task A_push_service_that_is_away_is_tried_again()
    {
        var gone = await PushServer.StartAsync();
        var address = gone.Address;
        await gone.DisposeAsync();

        var outcome = await provider.SendAsync(Pushes.To(browser.At(address)), CancellationToken.None);

        Assert.That(outcome, Is.EqualTo(new PushOutcome(PushResult.Retry, "unreachable")));
    }

    [Test]
    public async Task An_answer_without_an_end_is_not_read_to_it()
    {
        server.Reply = _ => Task.FromResult(new PushReply(400) { IsEndless = true });
        using var client = new PushClient(Pushes.Handlers().Guarded, SystemClock.Instance);
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"{server.Address}/wp/endless"));

        var answer = await client.SendAsync(request, CancellationToken.None);

        Assert.That((answer.Status, answer.Body.Length), Is.EqualTo(((HttpStatusCode?)HttpStatusCode.BadRequest, 16 * 1024)));
    }

    [Test]
    public async Task An_address_in_a_private_network_is_not_called()
    {
        using var guarded = Provider(Pushes.Handlers(allowPrivate: false));

        var outcome = await guarded.SendAsync(Pushes.To(browser.At($"{server.Address}/wp/private")), CancellationToken.None);

        Assert.That(outcome, Is.EqualTo(new PushOutcome(PushResult.Retry, "private-address")));
        Assert.That(server.Calls.Select(call => call.Line), Has.None.Contains("/wp/private"));
    }

    [TestCase("https://push.test/1", "https://PUSH.test:443/2", true)]
    [TestCase("https://push.test/1", "https://push.test:81/1", false)]
    [TestCase("https://push.test/1", "https://other.push.test/1", false)]
    public void A_server_is_a_host_and_a_port(string one, string other, bool isSame)
    {
        var servers = (provider.ServerOf(Pushes.To(browser.At(one))), provider.ServerOf(Pushes.To(browser.At(other))));

        Assert.That(servers.Item1 == servers.Item2, Is.EqualTo(isSame), servers.ToString());
    }

    private static WebPushProvider Provider(PushHandlers handlers) => new(
        new PushSettings
        {
            WebPush = new WebPushSettings { Subject = "mailto:push@test", PublicKey = Keys.PublicKey, PrivateKey = Keys.PrivateKey },
        },
        handlers, SystemClock.Instance);
}
