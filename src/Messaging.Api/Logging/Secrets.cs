using System.Text.RegularExpressions;

namespace Messaging.Api.Logging;

/// <summary>
/// The last gate before a log line leaves the process: whatever a component of ours or of the framework's, at whatever level, put into
/// it, credentials do not pass.
/// </summary>
public static partial class Secrets
{
    private const string Hidden = "[hidden]";

    public static string Hide(string line)
    {
        // Nearly every line holds none of the marks, and is spared the expression.
        if (!line.Contains("eyJ", StringComparison.Ordinal) && !line.Contains("msk_", StringComparison.Ordinal)
            && !line.Contains("mrt_", StringComparison.Ordinal) && !line.Contains("whsec_", StringComparison.Ordinal)
            && !line.Contains("access_token", StringComparison.OrdinalIgnoreCase)
            && !line.Contains("authorization", StringComparison.OrdinalIgnoreCase)
            && !line.Contains("password", StringComparison.OrdinalIgnoreCase))
        {
            return line;
        }
        return Credentials().Replace(line, match => match.Groups["keep"].Value + Hidden);
    }

    // A query value, a header's value, a password of a connection string, a JWT, a refresh token, a webhook's secret, the secret part of a
    // service key.
    [GeneratedRegex(
        """(?<keep>access_token=|access_token%3D)[^&\s"\\]*|"""
            + """(?<keep>authorization\\?"?[:=]\s*\\?"?)(bearer\s+)?[^\s"\\,]+|"""
            + """(?<keep>password\s*=\s*)[^;"\\\s]*|"""
            + """eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*)?|"""
            + """(?<keep>mrt_)[A-Za-z0-9_-]+|(?<keep>whsec_)([A-Za-z0-9+/=_-]|\\\\?u002b)+|(?<keep>msk_[a-z0-9]+_)[A-Za-z0-9_-]+""",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        1000)]
    private static partial Regex Credentials();
}
