using System.Collections;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Messaging.Migrations;

/// <summary>
/// The scripts of one release in the order of their versions. Making a set fails on a file that is not named
/// <c>yyyyMMddNNNN_name.up.sql</c> or <c>.down.sql</c>, on one without its other half and on a version that stands twice.
/// </summary>
public sealed partial class ScriptSet : IReadOnlyList<Script>
{
    static readonly Lazy<ScriptSet> LazyEmbedded = new(LoadEmbedded);

    readonly Script[] scripts;

    public ScriptSet(IEnumerable<Script> scripts)
    {
        this.scripts = [.. scripts.OrderBy(script => script.Version)];

        foreach (var twice in this.scripts.GroupBy(script => script.Version).Where(group => group.Skip(1).Any()))
            throw new MigrationException($"Two scripts have the version {twice.Key}: {string.Join(", ", twice.Select(script => script.Name))}.");
        foreach (var script in this.scripts)
            RequireOneStatementOutsideTransaction(script);
    }

    /// <summary>The scripts of db/migrations as they were when this assembly was built.</summary>
    public static ScriptSet Embedded => LazyEmbedded.Value;

    public int Count => scripts.Length;

    /// <summary>The version of the newest script, or 0.</summary>
    public long Latest => scripts.Length == 0 ? 0 : scripts[^1].Version;

    public Script this[int index] => scripts[index];

    public static ScriptSet FromFolder(string folder) => FromFiles(
        Directory.EnumerateFiles(folder, "*.sql").Select(path => (Path.GetFileName(path), File.ReadAllText(path))));

    public static ScriptSet FromFiles(IEnumerable<(string FileName, string Text)> files)
    {
        var halves = files.Select(file => (Name: FileName().Match(file.FileName), file.FileName, file.Text)).ToList();
        if (halves.Find(half => !half.Name.Success) is { FileName: { } stranger })
            throw new MigrationException($"{stranger} is not named yyyyMMddNNNN_name.up.sql or yyyyMMddNNNN_name.down.sql.");

        return new ScriptSet(halves.GroupBy(half => half.Name.Groups["script"].Value).Select(pair => new Script(
            long.Parse(pair.First().Name.Groups["version"].ValueSpan, CultureInfo.InvariantCulture),
            pair.First().Name.Groups["name"].Value,
            Half(pair.Key, "up"),
            Half(pair.Key, "down"))));

        string Half(string script, string direction) =>
            halves.Find(half => half.FileName == $"{script}.{direction}.sql").Text
            ?? throw new MigrationException($"{script}.{direction}.sql is missing beside its other half.");
    }

    /// <summary>True for 0, the schema before the first script, and for the version of a script in the set.</summary>
    public bool Knows(long version) => version == 0 || scripts.Any(script => script.Version == version);

    public IEnumerator<Script> GetEnumerator() => scripts.AsEnumerable().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    static ScriptSet LoadEmbedded()
    {
        var assembly = typeof(ScriptSet).Assembly;
        return FromFiles(assembly.GetManifestResourceNames()
            .Where(name => name.EndsWith(".sql", StringComparison.Ordinal))
            .Select(name =>
            {
                using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
                return (name, reader.ReadToEnd());
            }));
    }

    // Several statements sent together are one implicit transaction, which is what the marker is there to avoid.
    static void RequireOneStatementOutsideTransaction(Script script)
    {
        if ((script.UpRunsOutsideTransaction && SqlText.Statements(script.Up).Count != 1)
            || (script.DownRunsOutsideTransaction && SqlText.Statements(script.Down).Count != 1))
            throw new MigrationException($"{script} is marked outside-transaction and must be exactly one statement.");
    }

    [GeneratedRegex(@"^(?<script>(?<version>\d{12})_(?<name>[a-z0-9_]+))\.(up|down)\.sql$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex FileName();
}
