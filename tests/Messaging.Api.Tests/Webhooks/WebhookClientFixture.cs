using System.Text;
using Messaging.Application.Webhooks;
using Messaging.Domain.Webhooks;
using Messaging.Infrastructure.Outbound;
using Messaging.Infrastructure.Webhooks;
using NodaTime;

namespace Messaging.Api.Tests.Webhooks;

/// <summary>Calls receivers on this machine, as a client that may does.</summary>
public abstract class WebhookClientFixture
{
    internal const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    /// <summary>The name that <see cref="Names"/> are asked for.</summary>
    internal const string Name = "receiver.example";

    internal static WebhookClient Client(INameResolver? names = null, bool allowPrivate = true, TimeProvider? time = null) => new(
        new OutboundAddresses(names ?? new SystemNames(), new WebhookSettings { AllowPrivateNetworks = allowPrivate }),
        time ?? TimeProvider.System);

    internal static WebhookCall Call(Uri url, params IReadOnlyList<string> secrets) => new(
        url, "event-1", SystemClock.Instance.GetCurrentInstant(), Encoding.UTF8.GetBytes("""{"type":"message:new"}"""),
        secrets.Count == 0 ? [Secret] : secrets);

    /// <summary>What comes of one call of a receiver that answers with these bytes.</summary>
    internal static async Task<WebhookOutcome> OutcomeAsync(string answer)
    {
        await using var receiver = Receiver.Answering(answer);
        using var client = Client();
        return await client.SendAsync(Call(receiver.Url), CancellationToken.None);
    }
}
