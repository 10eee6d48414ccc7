using System.Globalization;
using System.Text.RegularExpressions;

namespace Messaging.Postgres;

/// <summary>A folder with initdb, pg_ctl and postgres of one release.</summary>
sealed partial record PostgresBinaries(string Folder, int Major)
{
    const int Oldest = 15;

    public string Initdb => Path.Combine(Folder, "initdb");

    public string PgCtl => Path.Combine(Folder, "pg_ctl");

    string Postgres => Path.Combine(Folder, "postgres");

    /// <summary>The newest, or those of <paramref name="major"/>: a cluster is only read by the release which made it.</summary>
    public static async Task<PostgresBinaries?> FindAsync(IReadOnlyList<string>? folders, int? major, CancellationToken ct)
    {
        var found = new List<PostgresBinaries>();
        foreach (var folder in (folders ?? [.. UsualFolders()]).Distinct())
        {
            if (await InAsync(folder, ct) is { } binaries)
                found.Add(binaries);
        }

        return found.Where(binaries => binaries.Major >= Oldest && (major is null || binaries.Major == major))
            .MaxBy(binaries => binaries.Major);
    }

    static async Task<PostgresBinaries?> InAsync(string folder, CancellationToken ct)
    {
        var binaries = new PostgresBinaries(folder, 0);
        if (!File.Exists(binaries.Initdb) || !File.Exists(binaries.PgCtl) || !File.Exists(binaries.Postgres))
            return null;

        var version = await Command.RunAsync(binaries.Postgres, ["--version"], ct);
        var match = Version().Match(version.Output);
        return match.Success ? binaries with { Major = int.Parse(match.Groups["major"].Value, CultureInfo.InvariantCulture) } : null;
    }

    static IEnumerable<string> UsualFolders() =>
    [
        .. Below("/usr/lib/postgresql", "*", "bin"),
        .. Below("/usr", "pgsql-*", "bin"),
        .. Below("/usr/libexec", "postgresql*", ""),
        .. Below("/opt/homebrew/opt", "postgresql@*", "bin"),
        .. Below("/usr/local/opt", "postgresql@*", "bin"),
        .. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries),
    ];

    static IEnumerable<string> Below(string folder, string pattern, string inner) =>
        Directory.Exists(folder) ? Directory.EnumerateDirectories(folder, pattern).Select(found => Path.Combine(found, inner)) : [];

    [GeneratedRegex(@"\(PostgreSQL\) (?<major>\d+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Version();
}
