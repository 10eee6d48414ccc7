namespace Messaging.Application.Common;

/// <summary>Addresses that a browser may load: absolute, http or https.</summary>
public static class WebAddress
{
    public const string Expected = "An absolute http or https address of at most 2,000 characters is expected.";

    public static bool IsValidOrNull(string? address) => address is null
        || (address.Length <= 2000 && Uri.TryCreate(address, UriKind.Absolute, out var uri)
            && (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps));
}
