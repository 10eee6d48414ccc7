using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;
using Messaging.Application.Push;
using NodaTime;

namespace Messaging.Infrastructure.Push;

/// <summary>Firebase Cloud Messaging over its HTTP API v1.</summary>
public sealed class FcmProvider(PushSettings settings, PushHandlers handlers, IClock clock) : IPushProvider, IDisposable
{
    // As for the others: beyond it FCM refuses.
    private const int MaxLength = 4096;

    private readonly FcmAccount? account = settings.Fcm.ServiceAccount is { } text ? FcmAccount.TryRead(text) : null;
    private readonly PushClient client = new(handlers.Plain, clock);
    private readonly KeptToken token = new(clock);

    public string Name => "fcm";

    public bool IsConfigured => settings.Fcm.IsConfigured;

    public IReadOnlyCollection<string> Platforms { get; } = settings.Apns.IsConfigured ? ["android"] : ["android", "ios"];

    public async Task<PushOutcome> SendAsync(PushMessage push, CancellationToken ct)
    {
        if (await token.GetAsync(FetchTokenAsync, ct) is not { } bearer)
            return new PushOutcome(PushResult.Retry, "no-token");
        var address = $"{settings.Fcm.Address.TrimEnd('/')}/v1/projects/{account!.ProjectId}/messages:send";
        using var request = new HttpRequestMessage(HttpMethod.Post, address)
        {
            Content = PushBody.Json(PushText.Fit(push, MaxLength, Write)),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
        var answer = await client.SendAsync(request, ct);
        if (answer.Status is HttpStatusCode.Unauthorized)
            token.Drop(bearer);
        return OutcomeOf(answer);
    }

    public void Dispose()
    {
        client.Dispose();
        token.Dispose();
    }

    private static PushOutcome OutcomeOf(PushAnswer answer)
    {
        if (answer.IsSuccess)
            return new PushOutcome(PushResult.Sent, ProviderId: answer.Json() is { } sent ? PushClient.Id(Text(sent, "name")) : null);
        var code = CodeOf(answer.Json(), out var isOfToken);
        return code is "UNREGISTERED" or "SENDER_ID_MISMATCH" || (code is "INVALID_ARGUMENT" && isOfToken)
            ? new PushOutcome(PushResult.Bounced, code)
            : answer.Outcome(code);
    }

    // An argument that is invalid is the token, unless other fields are named.
    private static string? CodeOf(JsonElement? body, out bool isOfToken)
    {
        isOfToken = true;
        if (body is not { ValueKind: JsonValueKind.Object } json || !json.TryGetProperty("error", out var error)
            || error.ValueKind is not JsonValueKind.Object)
            return null;
        var code = Text(error, "status");
        if (!error.TryGetProperty("details", out var details) || details.ValueKind is not JsonValueKind.Array)
            return PushClient.Code(code);
        foreach (var detail in details.EnumerateArray().Where(one => one.ValueKind is JsonValueKind.Object))
        {
            code = Text(detail, "errorCode") ?? code;
            if (detail.TryGetProperty("fieldViolations", out var violations) && violations.ValueKind is JsonValueKind.Array)
                isOfToken = violations.EnumerateArray().All(one => Text(one, "field") == "message.token");
        }
        return PushClient.Code(code);
    }

    private static string? Text(JsonElement json, string member) =>
        json.ValueKind is JsonValueKind.Object && json.TryGetProperty(member, out var value) && value.ValueKind is JsonValueKind.String
            ? value.GetString()
            : null;

    private async Task<(string Token, Instant Until)?> FetchTokenAsync(CancellationToken ct)
    {
        var now = clock.GetCurrentInstant();
        using var request = new HttpRequestMessage(HttpMethod.Post, account!.TokenAddress)
        {
            Content = new FormUrlEncodedContent(
            [
                new("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), new("assertion", Assertion(now)),
            ]),
        };
        var answer = await client.SendAsync(request, ct);
        if (!answer.IsSuccess || answer.Json() is not { } json || Text(json, "access_token") is not { Length: > 0 } fetched)
            return null;
        var seconds = json.TryGetProperty("expires_in", out var lifetime) && lifetime.ValueKind is JsonValueKind.Number
            && lifetime.TryGetInt32(out var given) ? given : 0;
        return (fetched, now + Duration.FromSeconds(seconds) - Duration.FromMinutes(5));
    }

    private string Assertion(Instant now)
    {
        using var key = SettingText.TryReadKey(account!.PrivateKey, RSA.Create)!;
        return PushTokens.Sign(key, account.KeyId, new
        {
            iss = account.Email,
            scope = "https://www.googleapis.com/auth/firebase.messaging",
            aud = account.TokenAddress.OriginalString,
            iat = now.ToUnixTimeSeconds(),
            exp = (now + Duration.FromHours(1)).ToUnixTimeSeconds(),
        });
    }

    private byte[] Write(PushMessage push) => PushBody.WriteLean(
        new
        {
            message = new
            {
                token = push.Device!.Token,
                notification = new { title = push.Title, body = push.Body },
                data = PushBody.Data(push),
                android = new
                {
                    collapse_key = push.CollapseId,
                    priority = "HIGH",
                    ttl = $"{Math.Max(0, (long)(push.ExpiresAt - clock.GetCurrentInstant()).TotalSeconds)}s",
                    notification = new { tag = push.CollapseId, notification_count = push.Badge, sound = push.Sound ? "default" : null },
                },
                apns = push.Device.Platform == "ios" ? ApnsPart(push) : null,
            },
        });

    // For devices of Apple's that are reached through Firebase.
    private static object ApnsPart(PushMessage push) => new
    {
        headers = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["apns-collapse-id"] = push.CollapseId,
            ["apns-expiration"] = push.ExpiresAt.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture),
        },
        payload = new { aps = ApnsProvider.Aps(push, alert: null) },
    };
}
