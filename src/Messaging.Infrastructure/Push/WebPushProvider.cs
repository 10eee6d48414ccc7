using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using Messaging.Application.Push;
using NodaTime;

namespace Messaging.Infrastructure.Push;

/// <summary>
/// Web Push (RFC 8030), encrypted for the browser and signed with VAPID (RFC 8292). Browsers name the servers that are called: those in
/// private networks are not.
/// </summary>
public sealed class WebPushProvider(PushSettings settings, PushHandlers handlers, IClock clock) : IPushProvider, IDisposable
{
    private static readonly Duration TokenLifetime = Duration.FromHours(12);

    private readonly PushClient client = new(handlers.Guarded, clock);
    private readonly ECDsa? key = settings.WebPush.PrivateKey is { } text ? VapidKeys.Open(text) : null;

    public string Name => "webpush";

    public bool IsConfigured => settings.WebPush.IsConfigured;

    public IReadOnlyCollection<string> Platforms { get; } = ["web"];

    // Whoever names a port of a host that does not answer closes no other.
    public string ServerOf(PushMessage push) =>
        Uri.TryCreate(push.Device!.Token, UriKind.Absolute, out var uri) ? $"{uri.IdnHost}:{uri.Port}" : "";

    public async Task<PushOutcome> SendAsync(PushMessage push, CancellationToken ct)
    {
        if (!Uri.TryCreate(push.Device!.Token, UriKind.Absolute, out var address) || address.Scheme is not ("https" or "http"))
            return new PushOutcome(PushResult.Bounced, "bad-address");
        if (TryEncrypt(push) is not { } body)
            return new PushOutcome(PushResult.Bounced, "bad-keys");
        using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        request.Content.Headers.ContentEncoding.Add("aes128gcm");
        request.Headers.Add("TTL", SecondsLeft(push).ToString(CultureInfo.InvariantCulture));
        request.Headers.Add("Urgency", "high");
        request.Headers.Add("Topic", push.CollapseId);
        request.Headers.Authorization = new AuthenticationHeaderValue("vapid", $"t={Token(address)}, k={settings.WebPush.PublicKey}");
        var answer = await client.SendAsync(request, ct);
        return answer.Status is HttpStatusCode.NotFound or HttpStatusCode.Gone
            ? new PushOutcome(PushResult.Bounced, "unsubscribed")
            : answer.Outcome() with { ProviderId = PushClient.Id(answer.Location?.OriginalString) };
    }

    public void Dispose()
    {
        client.Dispose();
        key?.Dispose();
    }

    private static byte[]? TryEncrypt(PushMessage push)
    {
        var plain = PushText.Fit(push, WebPushEncryption.MaxPlainLength, PushBody.Write);
        try
        {
            return WebPushEncryption.Encrypt(
                plain, Base64Url.DecodeFromChars(push.Device!.P256dh), Base64Url.DecodeFromChars(push.Device.Auth));
        }
        catch (Exception e) when (e is CryptographicException or FormatException)
        {
            return null;
        }
    }

    private long SecondsLeft(PushMessage push) => Math.Max(0, (long)(push.ExpiresAt - clock.GetCurrentInstant()).TotalSeconds);

    private string Token(Uri address) => PushTokens.Sign(key!, keyId: null, new
    {
        aud = address.GetLeftPart(UriPartial.Authority),
        exp = (clock.GetCurrentInstant() + TokenLifetime).ToUnixTimeSeconds(),
        sub = settings.WebPush.Subject,
    });
}
