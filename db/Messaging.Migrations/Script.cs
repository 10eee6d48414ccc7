using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Messaging.Migrations;

/// <summary>One numbered step of the schema: the text that makes it, and the text that takes it back.</summary>
/// <param name="Version">The script's number, <c>yyyyMMddNNNN</c>; scripts run in this order.</param>
/// <param name="Name">What the file is called after its number; it stands in <c>VersionInfo</c> as the description.</param>
/// <param name="Up">SQL that makes the step.</param>
/// <param name="Down">SQL that takes it back; it may drop data.</param>
public sealed record Script(long Version, string Name, string Up, string Down)
{
    const string OutsideTransactionMarker = "-- outside-transaction";

    /// <summary>SHA-256 of <see cref="Up"/> in lower-case hex. Line ends do not count: a checkout on Windows has the same one.</summary>
    public string Checksum => Convert.ToHexStringLower(
        SHA256.HashData(Encoding.UTF8.GetBytes(Up.ReplaceLineEndings("\n").TrimEnd())));

    /// <summary>True when <see cref="Up"/> is one statement that refuses to run inside a transaction.</summary>
    public bool UpRunsOutsideTransaction => IsMarked(Up);

    /// <summary>True when <see cref="Down"/> is one statement that refuses to run inside a transaction.</summary>
    public bool DownRunsOutsideTransaction => IsMarked(Down);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Version} {Name}");

    static bool IsMarked(string sql) => sql.ReplaceLineEndings("\n").Split('\n')
        .Select(line => line.Trim())
        .TakeWhile(line => line.Length == 0 || line.StartsWith("--", StringComparison.Ordinal))
        .Any(line => line.StartsWith(OutsideTransactionMarker, StringComparison.Ordinal));
}
