using System.Text.RegularExpressions;

namespace Messaging.Migrations;

/// <summary>Reads as much of a script as the runner and the plan need to know; PostgreSQL alone parses SQL.</summary>
static partial class SqlText
{
    /// <summary>The statements of a script without their comments.</summary>
    public static IReadOnlyList<string> Statements(string sql)
    {
        var withoutComments = CommentOrQuoted().Replace(sql, match => match.Value[0] is '-' or '/' ? " " : match.Value);
        var statements = new List<string>();
        var start = 0;
        foreach (var end in QuotedOrEnd().Matches(withoutComments).Where(match => match.Value == ";").Select(match => match.Index))
        {
            statements.Add(withoutComments[start..end].Trim());
            start = end + 1;
        }

        statements.Add(withoutComments[start..].Trim());
        return statements.FindAll(statement => statement.Length > 0);
    }

    /// <summary>Names of the indexes that a script makes by CREATE INDEX.</summary>
    public static IEnumerable<string> IndexesMadeBy(string sql) =>
        Statements(sql).Select(statement => CreateIndex().Match(statement)).Where(match => match.Success).Select(NameOf);

    /// <summary>The index that a statement builds concurrently, or null.</summary>
    public static string? IndexBuiltConcurrently(string statement) =>
        CreateIndex().Match(statement) is { Success: true } match && match.Groups["concurrently"].Success ? NameOf(match) : null;

    /// <summary>The index that a statement drops concurrently, or null.</summary>
    public static string? IndexDroppedConcurrently(string statement) =>
        DropIndexConcurrently().Match(statement) is { Success: true } match ? NameOf(match) : null;

    // PostgreSQL folds a bare name to lower case and takes a quoted one as it stands.
    static string NameOf(Match match) => match.Groups["name"].Value is ['"', .., '"'] quoted
        ? quoted[1..^1].Replace("\"\"", "\"", StringComparison.Ordinal)
        : match.Groups["name"].Value.ToLowerInvariant();

    const string Quoted = """[eE]'(\\.|''|[^'\\])*'|'(''|[^'])*'|"(""|[^"])*"|\$(?<tag>\w*)\$.*?\$\k<tag>\$""";
    const string Name = """(?<name>"(""|[^"])+"|\w+)""";

    [GeneratedRegex($"""{Quoted}|--[^\n]*|/\*.*?\*/""", RegexOptions.Singleline | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex CommentOrQuoted();

    [GeneratedRegex($"{Quoted}|;", RegexOptions.Singleline | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex QuotedOrEnd();

    [GeneratedRegex(
        $@"^CREATE\s+(UNIQUE\s+)?INDEX\s+((?<concurrently>CONCURRENTLY)\s+)?(IF\s+NOT\s+EXISTS\s+)?(?!ON\s){Name}",
        RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex CreateIndex();

    [GeneratedRegex(
        $@"^DROP\s+INDEX\s+CONCURRENTLY\s+(IF\s+EXISTS\s+)?(\w+\.)?{Name}", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex DropIndexConcurrently();
}
