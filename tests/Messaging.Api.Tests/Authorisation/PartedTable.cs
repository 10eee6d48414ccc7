using System.Text.RegularExpressions;

namespace Messaging.Api.Tests.Authorisation;

/// <summary>One way by one of the two, its promised answer, and what the other one hears of it.</summary>
/// <param name="IsSeen">Whether the other one is to see something else afterwards.</param>
sealed record PartedCell(
    int Number, string Method, string Target, string? Body, string Caller, string Expected, bool IsSeen, IReadOnlyList<string> Heard)
{
    public string Other => Caller switch
    {
        "blocked" => "blocker",
        "blocker" => "blocked",
        "asker" => "asked",
        "asked" => "asker",
        "refused" => "refuser",
        _ => "refused",
    };

    public bool IsRefused => Expected[0] == '4';

    public override string ToString() => $"{Method} {Target}{(Body is null ? "" : $" {Body}")} | {Caller}";
}

/// <summary>The checked-in tables of what passes between two who are parted; parted.txt says how they are read.</summary>
sealed partial class PartedTable
{
    private readonly Dictionary<string, string> words = new(StringComparer.Ordinal);
    private readonly List<PartedCell> cells = [];
    private string[] callers = [];
    private (string Method, string Target, string? Body) way;

    public IReadOnlyList<PartedCell> Cells => cells;

    /// <summary>
    /// What may be tried on the same two: one way that is served, or all ways of a caller that are refused and leave nothing behind.
    /// </summary>
    public IEnumerable<IReadOnlyList<PartedCell>> Worlds =>
        cells.GroupBy(cell => (cell.Caller, Served: cell.IsRefused ? -1 : cell.Number)).Select(world => world.ToList());

    /// <summary>The ways, as the service names them: <c>GET /v1/users/{userId}</c>.</summary>
    public IEnumerable<string> Endpoints => cells
        .Select(cell => $"{cell.Method} "
            + $"{Emoji().Replace(Message().Replace(Renamed().Replace(cell.Target.Split('?')[0], "{${name}}"), "{messageId}"), "{emoji}")}")
        .Distinct();

    public static PartedTable Read(Matrix matrix)
    {
        var table = new PartedTable();
        foreach (var (_, line) in ModuleTables.Lines("parted.txt", "parted.txt"))
            table.Take(line, matrix);
        return table;
    }

    private void Take(string line, Matrix matrix)
    {
        var parts = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (line[0] == '=')
            words.Add(parts[1], string.Join(' ', parts[2..]));
        else if (parts[0] == "callers")
            callers = parts[1..];
        else if (line[0] == ' ')
            cells.AddRange(callers.Zip(parts, (caller, answer) => CellOf(caller, answer, matrix)));
        else
            way = (parts[0], parts[1], parts.Length > 2 ? string.Join(' ', parts[2..]) : null);
    }

    private PartedCell CellOf(string caller, string answer, Matrix matrix)
    {
        var told = answer.Split('+');
        var word = told[0].TrimEnd('~');
        return new PartedCell(
            cells.Count, way.Method, way.Target, way.Body, $"{caller}", words.GetValueOrDefault(word) ?? matrix.MeaningOf(word) ?? word,
            told[0].EndsWith('~'), told[1..]);
    }

    [GeneratedRegex(@"\{(?<name>\w+)=\w+\}", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Renamed();

    [GeneratedRegex(@"\{(mine|theirs)\}", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Message();

    [GeneratedRegex("%[%0-9A-F]+", RegexOptions.None, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Emoji();
}
