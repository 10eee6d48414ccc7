using System.Security.Cryptography;
using System.Text;
using Messaging.Application.Push;
using Messaging.Infrastructure.Outbound;
using Messaging.Infrastructure.Push;
using Messaging.Infrastructure.Webhooks;
using NodaTime;

namespace Messaging.Application.Tests.Push;

public sealed class PushWebhookTests
{
    private readonly byte[] secret = RandomNumberGenerator.GetBytes(32);
    private PushServer server = null!;
    private WebhookClient client = null!;
    private WebhookProvider provider = null!;

    [SetUp]
    public async Task StartAsync()
    {
        server = await PushServer.StartAsync();
        client = new WebhookClient(
            new OutboundAddresses(new SystemNames(), new WebhookSettings { AllowPrivateNetworks = true }), TimeProvider.System);
        provider = new WebhookProvider(
            new PushSettings
            {
                Webhook = new PushWebhookSettings { Url = $"{server.Address}/push", Secret = $"whsec_{Convert.ToBase64String(secret)}" },
            },
            client, SystemClock.Instance);
    }

    [TearDown]
    public async Task StopAsync()
    {
        client.Dispose();
        await server.DisposeAsync();
    }

    [Test]
    public async Task The_host_is_called_with_the_notification_under_a_signature_of_its_secret()
    {
        var push = Pushes.To(device: null);

        var outcome = await provider.SendAsync(push, CancellationToken.None);

        var call = server.Calls.Single();
        var (id, time) = (call.Headers["webhook-id"], call.Headers["webhook-timestamp"]);
        var signed = HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes($"{id}.{time}.{Encoding.UTF8.GetString(call.Body)}"));
        Assert.That(call.Headers["webhook-signature"], Is.EqualTo($"v1,{Convert.ToBase64String(signed)}"));
        Assert.That(outcome, Is.EqualTo(new PushOutcome(PushResult.Sent, ProviderId: id)));
        var notification = call.Json["data"]!["notification"]!;
        Assert.That(
            ((string?)call.Json["type"], (string?)call.Json["id"], (string?)call.Json["data"]!["userId"], (string?)notification["body"],
                (int?)notification["badge"]),
            Is.EqualTo(("push", id, "anna", "See you at 8", 7)));
    }

    [Test]
    public async Task Its_id_is_the_same_at_every_try_and_another_one_when_it_is_raised_again()
    {
        var push = Pushes.To(device: null);
        await provider.SendAsync(push, CancellationToken.None);
        await provider.SendAsync(push, CancellationToken.None);

        await provider.SendAsync(push with { RaisedAt = push.RaisedAt + Duration.FromSeconds(1) }, CancellationToken.None);

        var ids = server.Calls.Select(call => call.Headers["webhook-id"]).ToList();
        Assert.That((ids[0] == ids[1], ids[1] == ids[2]), Is.EqualTo((true, false)));
    }

    [Test]
    public async Task A_refusal_is_tried_again()
    {
        server.Answer(503, null, ("Retry-After", "60"));

        var outcome = await provider.SendAsync(Pushes.To(device: null), CancellationToken.None);

        Assert.That(outcome, Is.EqualTo(new PushOutcome(PushResult.Retry, "http-503", RetryAfter: Duration.FromMinutes(1))));
    }
}
