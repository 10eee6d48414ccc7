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
    const string CompatibleMarker = "-- compatible";
    const string BreakingMarker = "-- breaking";

    /// <summary>SHA-256 of <see cref="Up"/> in lower-case hex. Line ends do not count: a checkout on Windows has the same one.</summary>
    public string Checksum => Convert.ToHexStringLower(
        SHA256.HashData(Encoding.UTF8.GetBytes(Up.ReplaceLineEndings("\n").TrimEnd())));

    /// <summary>True when <see cref="Up"/> is one statement that refuses to run inside a transaction.</summary>
    public bool UpRunsOutsideTransaction => IsMarked(Up, OutsideTransactionMarker);

    /// <summary>True when <see cref="Down"/> is one statement that refuses to run inside a transaction.</summary>
    public bool DownRunsOutsideTransaction => IsMarked(Down, OutsideTransactionMarker);

    /// <summary>True when <see cref="Up"/> says that the release before it runs beside it. One that says nothing is breaking.</summary>
    public bool IsCompatible => IsMarked(Up, CompatibleMarker);

    /// <summary>True when <see cref="Up"/> says either that it is compatible or that it is breaking.</summary>
    public bool SaysWhetherItBreaks => IsCompatible != IsMarked(Up, BreakingMarker);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Version} {Name}");

    static bool IsMarked(string sql, string marker) => sql.ReplaceLineEndings("\n").Split('\n')
        .Select(line => line.Trim())
        .TakeWhile(line => line.Length == 0 || line.StartsWith("--", StringComparison.Ordinal))
        .Any(line => line == marker || line.StartsWith(marker + " ", StringComparison.Ordinal));
}
