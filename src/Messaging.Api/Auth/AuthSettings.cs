using System.Text;
using Messaging.Application.Common;
using Messaging.Domain.ServiceKeys;

namespace Messaging.Api.Auth;

/// <summary>Whose credentials are accepted; <c>Messaging__Auth__*</c>.</summary>
public sealed class AuthSettings : ISettings
{
    public static string Section => "Messaging:Auth";

    /// <summary>Expected <c>iss</c>; required in Production.</summary>
    public string? Issuer { get; set; }

    /// <summary>Expected <c>aud</c>; required in Production.</summary>
    public string? Audience { get; set; }

    /// <summary>Shared secret of HS256 tokens, at least 32 bytes of UTF-8. Without it no tokens are minted here.</summary>
    public string? Hs256Secret { get; set; }

    /// <summary>One or more public keys in PEM, RSA for RS256 and P-256 for ES256, one after the other.</summary>
    public string? PublicKeys { get; set; }

    /// <summary>Where the issuer publishes its keys (RFC 7517).</summary>
    public string? JwksUrl { get; set; }

    /// <summary>
    /// The least time between two fetches of <see cref="JwksUrl"/> that a token with an unknown key asks for; at least a second.
    /// </summary>
    public TimeSpan JwksRefreshInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a fetch of <see cref="JwksUrl"/> may take; tokens with unknown keys wait for it.</summary>
    public TimeSpan JwksTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>A service key with every scope, accepted as long as it stands here.</summary>
    public string? BootstrapServiceKey { get; set; }

    /// <summary>All that is wrong, each led by the setting's name and a colon. Never holds a value.</summary>
    public IEnumerable<string> Errors(bool production)
    {
        if (production && string.IsNullOrEmpty(Issuer))
            yield return "Issuer: is required in Production.";
        if (production && string.IsNullOrEmpty(Audience))
            yield return "Audience: is required in Production.";
        if (!string.IsNullOrEmpty(Hs256Secret) && Encoding.UTF8.GetByteCount(Hs256Secret) < 32)
            yield return "Hs256Secret: at least 32 bytes are needed.";
        if (!string.IsNullOrEmpty(BootstrapServiceKey) && !ServiceKey.TryParse(BootstrapServiceKey, out _))
            yield return "BootstrapServiceKey: has the form msk_<id>_<secret>; id 1 to 32 of a-z 0-9, secret at least 32 characters.";
        if (!string.IsNullOrEmpty(PublicKeys) && PemKeys.ErrorOf(PublicKeys) is { } error)
            yield return $"PublicKeys: {error}";
        if (!string.IsNullOrEmpty(JwksUrl) && !IsFetchable(JwksUrl, production))
            yield return "JwksUrl: an absolute address is needed; in Production https, since whoever answers it decides who is let in.";
        if (JwksRefreshInterval < TimeSpan.FromSeconds(1))
            yield return "JwksRefreshInterval: at least 00:00:01 is needed.";
        if (JwksTimeout < TimeSpan.FromSeconds(1) || JwksTimeout > TimeSpan.FromMinutes(1))
            yield return "JwksTimeout: 00:00:01 to 00:01:00 is needed.";
    }

    private static bool IsFetchable(string url, bool production) =>
        Uri.TryCreate(url, UriKind.Absolute, out var uri)
        && (uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && (!production || uri.IsLoopback)));
}
