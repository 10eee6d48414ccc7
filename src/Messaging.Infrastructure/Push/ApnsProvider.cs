using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;
using Messaging.Application.Push;
using NodaTime;

namespace Messaging.Infrastructure.Push;

/// <summary>Apple's push service, over HTTP/2 and with a provider token.</summary>
public sealed class ApnsProvider(PushSettings settings, PushHandlers handlers, IClock clock) : IPushProvider, IDisposable
{
    private const int MaxLength = 4096;

    // Apple refuses tokens that are older than an hour, and providers that change them more often than every 20 minutes.
    private static readonly Duration TokenAge = Duration.FromMinutes(40);

    private readonly PushClient client = new(handlers.Plain, clock);
    private readonly ECDsa? key = SettingText.TryReadKey(settings.Apns.PrivateKey, ECDsa.Create);
    private readonly KeptToken token = new(clock);

    public string Name => "apns";

    public bool IsConfigured => settings.Apns.IsConfigured;

    public IReadOnlyCollection<string> Platforms { get; } = settings.Apns.IsConfigured ? ["ios"] : [];

    public async Task<PushOutcome> SendAsync(PushMessage push, CancellationToken ct)
    {
        var bearer = await token.GetAsync(MakeTokenAsync, ct);
        var address = $"{settings.Apns.Address.TrimEnd('/')}/3/device/{Uri.EscapeDataString(push.Device!.Token)}";
        using var request = new HttpRequestMessage(HttpMethod.Post, address)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = PushBody.Json(PushText.Fit(push, MaxLength, Write)),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("bearer", bearer);
        request.Headers.Add("apns-topic", settings.Apns.Topic);
        request.Headers.Add("apns-push-type", "alert");
        request.Headers.Add("apns-priority", "10");
        request.Headers.Add("apns-collapse-id", push.CollapseId);
        request.Headers.Add("apns-expiration", push.ExpiresAt.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture));
        return OutcomeOf(await client.SendAsync(request, ct), bearer!);
    }

    public void Dispose()
    {
        client.Dispose();
        token.Dispose();
        key?.Dispose();
    }

    /// <summary>What an Apple device shows; the alert is left out where another part of the push has it.</summary>
    internal static Dictionary<string, object?> Aps(PushMessage push, object? alert)
    {
        var aps = new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["badge"] = push.Badge,
            ["thread-id"] = push.ConversationId.ToString(),
        };
        if (alert is not null)
            aps["alert"] = alert;
        if (push.Sound)
            aps["sound"] = "default";
        return aps;
    }

    private PushOutcome OutcomeOf(PushAnswer answer, string bearer)
    {
        if (answer.IsSuccess)
            return new PushOutcome(PushResult.Sent, ProviderId: PushClient.Id(answer.Id));
        var reason = answer.Json() is { ValueKind: JsonValueKind.Object } json && json.TryGetProperty("reason", out var text)
            && text.ValueKind is JsonValueKind.String ? PushClient.Code(text.GetString()) : null;
        if (reason is "ExpiredProviderToken")
            token.Drop(bearer);
        return answer.Status is HttpStatusCode.Gone || reason is "BadDeviceToken" or "DeviceTokenNotForTopic"
            ? new PushOutcome(PushResult.Bounced, reason)
            : answer.Outcome(reason);
    }

    private Task<(string Token, Instant Until)?> MakeTokenAsync(CancellationToken ct)
    {
        var now = clock.GetCurrentInstant();
        var made = PushTokens.Sign(key!, settings.Apns.KeyId, new { iss = settings.Apns.TeamId, iat = now.ToUnixTimeSeconds() });
        return Task.FromResult<(string, Instant)?>((made, now + TokenAge));
    }

    private static byte[] Write(PushMessage push)
    {
        var body = new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["aps"] = Aps(push, new { title = push.Title, body = push.Body }),
        };
        foreach (var (name, value) in PushBody.Data(push))
            body[name] = value;
        return PushBody.WriteLean(body);
    }
}
