using System.Security.Cryptography;
using System.Text.Json;
using Messaging.Application.Common;
using Messaging.Application.Notifications;
using Messaging.Domain.Webhooks;

namespace Messaging.Application.Push;

/// <summary><c>Messaging__Push__*</c>: each provider is on where it is configured.</summary>
public sealed class PushSettings : ISettings
{
    public static string Section => "Messaging:Push";

    /// <summary>Browsers.</summary>
    public WebPushSettings WebPush { get; init; } = new();

    /// <summary>Firebase Cloud Messaging: Android, and iOS where APNs is not configured.</summary>
    public FcmSettings Fcm { get; init; } = new();

    /// <summary>Apple Push Notification service.</summary>
    public ApnsSettings Apns { get; init; } = new();

    /// <summary>An address of the host's, which sends in its own way.</summary>
    public PushWebhookSettings Webhook { get; init; } = new();

    /// <summary>Of the words of notifications where a user has not chosen one, or there is no template in it.</summary>
    public string Language { get; init; } = "en";

    /// <summary>The words of notifications by kind and language; what is not given is built in, in English.</summary>
    public Dictionary<string, Dictionary<string, PushTemplate>> Templates { get; init; } = [];

    /// <summary>Whether anything is pushed at all; else notifications are only listed.</summary>
    public bool IsConfigured => WebPush.IsConfigured || Fcm.IsConfigured || Apns.IsConfigured || Webhook.IsConfigured;

    public IEnumerable<string> Errors() =>
    [
        .. Of("WebPush", WebPush.Errors()), .. Of("Fcm", Fcm.Errors()), .. Of("Apns", Apns.Errors()), .. Of("Webhook", Webhook.Errors()),
        .. PushTemplateRules.Errors(this),
    ];

    private static IEnumerable<string> Of(string provider, IEnumerable<string> errors) => errors.Select(error => $"{provider}__{error}");
}

/// <summary>VAPID (RFC 8292): who sends, and the pair of keys that browsers subscribe with.</summary>
public sealed class WebPushSettings
{
    /// <summary>Whom a push service may turn to: <c>mailto:</c> or <c>https:</c>.</summary>
    public string? Subject { get; init; }

    /// <summary>65 bytes in base64url, which browsers are given as <c>applicationServerKey</c>.</summary>
    public string? PublicKey { get; init; }

    /// <summary>32 bytes in base64url.</summary>
    public string? PrivateKey { get; init; }

    public bool IsConfigured => Subject is not null || PublicKey is not null || PrivateKey is not null;

    internal IEnumerable<string> Errors()
    {
        if (!IsConfigured)
            yield break;
        if (!Uri.TryCreate(Subject, UriKind.Absolute, out var subject) || subject.Scheme is not ("mailto" or "https"))
            yield return "Subject: an address such as mailto:push@example.com or https://example.com is expected.";
        var pair = VapidKeys.TryRead(PrivateKey);
        if (pair is null)
            yield return "PrivateKey: a P-256 key of 32 bytes in base64url is expected, as 'keys vapid' makes it.";
        if (PublicKey is null || (pair is not null && pair.PublicKey != PublicKey.TrimEnd('=')))
            yield return "PublicKey: the key that belongs to PrivateKey is expected, as 'keys vapid' made it.";
    }
}

/// <summary>The service account of a Firebase project.</summary>
public sealed class FcmSettings
{
    /// <summary>The JSON of its key as Google Cloud gives it out, or the path of the file with it.</summary>
    public string? ServiceAccount { get; init; }

    public string Address { get; init; } = "https://fcm.googleapis.com";

    public bool IsConfigured => ServiceAccount is not null;

    internal IEnumerable<string> Errors()
    {
        if (!IsConfigured)
            yield break;
        if (FcmAccount.TryRead(ServiceAccount!) is null)
            yield return "ServiceAccount: the JSON of a service account's key, or the path of its file, is expected.";
        if (!SettingText.IsAddress(Address))
            yield return "Address: an address such as https://fcm.googleapis.com is expected.";
    }
}

/// <summary>A key of Apple's developer account, and the app that it sends to.</summary>
public sealed class ApnsSettings
{
    /// <summary>Ten characters, as the account shows them.</summary>
    public string? KeyId { get; init; }

    /// <summary>Ten characters, as the account shows them.</summary>
    public string? TeamId { get; init; }

    /// <summary>The content of the .p8 file, or its path.</summary>
    public string? PrivateKey { get; init; }

    /// <summary>The app's bundle id.</summary>
    public string? Topic { get; init; }

    /// <summary>For development builds <c>https://api.sandbox.push.apple.com</c>.</summary>
    public string Address { get; init; } = "https://api.push.apple.com";

    public bool IsConfigured => KeyId is not null || TeamId is not null || PrivateKey is not null || Topic is not null;

    internal IEnumerable<string> Errors()
    {
        if (!IsConfigured)
            yield break;
        if (string.IsNullOrWhiteSpace(KeyId))
            yield return "KeyId: the id of the key is expected.";
        if (string.IsNullOrWhiteSpace(TeamId))
            yield return "TeamId: the id of the team is expected.";
        if (SettingText.TryReadKey(PrivateKey, ECDsa.Create) is not { KeySize: 256 })
            yield return "PrivateKey: the content of the .p8 file, or its path, is expected.";
        if (string.IsNullOrWhiteSpace(Topic))
            yield return "Topic: the bundle id of the app is expected.";
        if (!SettingText.IsAddress(Address))
            yield return "Address: an address such as https://api.push.apple.com is expected.";
    }
}

/// <summary>Where each notification is posted as a signed call.</summary>
public sealed class PushWebhookSettings
{
    public string? Url { get; init; }

    /// <summary><c>whsec_</c> and 24 to 64 bytes in base64.</summary>
    public string? Secret { get; init; }

    public bool IsConfigured => Url is not null || Secret is not null;

    internal IEnumerable<string> Errors()
    {
        if (!IsConfigured)
            yield break;
        if (!SettingText.IsAddress(Url))
            yield return "Url: an http or https address is expected.";
        if (!WebhookSecret.TryParse(Secret, out _))
            yield return "Secret: whsec_ and 24 to 64 random bytes in base64 are expected.";
    }
}

/// <summary>What a service account's key says, of which we need this.</summary>
public sealed record FcmAccount(string ProjectId, string KeyId, string Email, string PrivateKey, Uri TokenAddress)
{
    /// <summary>Null where the text is no such key.</summary>
    public static FcmAccount? TryRead(string text)
    {
        try
        {
            using var json = JsonDocument.Parse(SettingText.Read(text));
            var account = json.RootElement;
            var read = new FcmAccount(
                Member("project_id"), Member("private_key_id"), Member("client_email"), Member("private_key"),
                new Uri(Member("token_uri")));
            using var key = SettingText.TryReadKey(read.PrivateKey, RSA.Create);
            return key is not null && SettingText.IsAddress(read.TokenAddress.OriginalString) ? read : null;

            string Member(string name) =>
                account.GetProperty(name).GetString() is { Length: > 0 } value ? value : throw new JsonException();
        }
        catch (Exception e)
            when (e is JsonException or KeyNotFoundException or InvalidOperationException or UriFormatException or IOException
                or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }
}

/// <summary>What of settings may stand in a file of its own.</summary>
public static class SettingText
{
    private const string PemBegin = "-----BEGIN";

    /// <summary>The text itself, or what is in the file that it names.</summary>
    public static string Read(string text) =>
        text.TrimStart().StartsWith('{') || text.Contains(PemBegin, StringComparison.Ordinal) ? text : File.ReadAllText(text);

    /// <summary>A private key in PEM or in the file that is named; null where there is none. Line ends may be written as \n.</summary>
    public static T? TryReadKey<T>(string? text, Func<T> create)
        where T : AsymmetricAlgorithm
    {
        var key = create();
        try
        {
            key.ImportFromPem(Read(text ?? "").Replace("\\n", "\n", StringComparison.Ordinal));
            // A public key cannot do that.
            key.ExportPkcs8PrivateKey();
            return key;
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException or IOException or UnauthorizedAccessException)
        {
            key.Dispose();
            return null;
        }
    }

    public static bool IsAddress(string? text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is ("http" or "https");
}
