using Messaging.Application.Common;

namespace Messaging.Api.Security;

/// <summary><c>Messaging__Cors__*</c>.</summary>
public sealed class CorsSettings : ISettings
{
    public static string Section => "Messaging:Cors";

    /// <summary>Web origins that may call from a browser, such as <c>https://app.example.com</c>.</summary>
    public IReadOnlyList<string> Origins { get; init; } = [];

    public bool Allows(string origin) => Origins.Contains(origin, StringComparer.OrdinalIgnoreCase);

    public IEnumerable<string> Errors()
    {
        for (var i = 0; i < Origins.Count; i++)
        {
            var valid = Uri.TryCreate(Origins[i], UriKind.Absolute, out var uri)
                && uri.Scheme is "http" or "https"
                && uri!.GetLeftPart(UriPartial.Authority).Equals(Origins[i], StringComparison.OrdinalIgnoreCase);
            if (!valid)
                yield return $"Origins__{i}: an origin such as https://app.example.com is expected, without a path.";
        }
    }
}
