using System.Text.RegularExpressions;

namespace Messaging.Api.Tests.Authorisation;

/// <summary>A call of the table.</summary>
/// <param name="Module">In whose folder it stands.</param>
/// <param name="Method">An HTTP method, or <c>HUB</c>.</param>
/// <param name="Target">A path or a hub method, with names in braces.</param>
/// <param name="Need">The scope that a service key needs, or several of which one will do; null where no credential is asked for.</param>
/// <param name="Body">JSON with names in braces; the arguments of a hub method.</param>
sealed partial record MatrixRow(string Module, string Method, string Target, string? Need, string? Body)
{
    public const string Hub = "HUB";

    public string[] Needs => Need?.Split('|') ?? [];

    /// <summary>What is called, as the service names it: <c>GET /v1/users/{userId}</c>.</summary>
    public string Endpoint => $"{Method} {Parameter().Replace(Target.Split('?')[0], "{${name}}")}";

    /// <summary>Whether its path names something by <paramref name="name"/> of the caller's world.</summary>
    public bool IsAbout(string name) => Target.Contains($"={name}}}", StringComparison.Ordinal);

    public override string ToString() => $"{Method} {Target}{(Body is null ? "" : $" {Body}")}";

    [GeneratedRegex(@"\{(?<name>\w+)=\w+\}", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Parameter();
}

/// <summary>One call by one caller in one state, and the answer that is promised.</summary>
/// <param name="Number">Of the little world that it takes place in.</param>
sealed record MatrixCell(int Number, MatrixRow Row, string State, string Caller, string Expected)
{
    public bool IsRefused => Expected[0] >= '4';

    public override string ToString() => $"{Row} | {State} | {Caller}";
}

/// <summary>The checked-in tables of who may call what; matrix.txt says how they are read.</summary>
sealed class Matrix
{
    private const string Any = "any";
    private const string Active = "active";
    private const string Deleted = "deleted";

    private static readonly string[] States = [Active, "closed", "archived", Deleted];
    private static readonly string[] WithoutCredential = ["anonymous", "garbage", "expired", "other-audience"];

    private readonly Dictionary<string, string> words = new(StringComparer.Ordinal);
    private readonly List<(MatrixRow Row, Dictionary<string, string[]> Answers)> rows = [];
    private string[] callers = [];

    public IEnumerable<MatrixRow> Rows => rows.Select(row => row.Row);

    /// <summary>All cells, with those that the table leaves to a rule.</summary>
    public IReadOnlyList<MatrixCell> Cells { get; private set; } = [];

    public static Matrix Read()
    {
        var matrix = new Matrix();
        foreach (var (module, line) in ModuleTables.Lines("matrix.txt", "authorisation.txt"))
            matrix.Take(module, line);
        matrix.Cells = [.. matrix.rows.SelectMany(matrix.CellsOf).Select((cell, number) => cell with { Number = number })];
        return matrix;
    }

    /// <summary>Status and code of a problem that is known by its code alone, as over the hub.</summary>
    public string WithStatus(string code) =>
        words.Values.FirstOrDefault(word => word.EndsWith($" {code}", StringComparison.Ordinal)) ?? code;

    /// <summary>The answer that a word of the table stands for; null for a word that is none.</summary>
    public string? MeaningOf(string word) => words.GetValueOrDefault(word);

    private void Take(string module, string line)
    {
        var parts = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (line[0] == '=')
            words.Add(parts[1], string.Join(' ', parts[2..]));
        else if (parts[0] == "callers")
            callers = parts[1..];
        else if (line[0] == ' ')
            TakeAnswers(line, parts);
        else
            rows.Add((RowOf(module, parts), []));
    }

    private static MatrixRow RowOf(string module, string[] parts) => new(
        module, parts[0], parts[1], parts[2] == "public" ? null : parts[2], parts.Length > 3 ? string.Join(' ', parts[3..]) : null);

    private void TakeAnswers(string line, string[] parts)
    {
        var answers = parts.Length == 2 ? [.. callers.Select(_ => parts[1])] : parts[1..];
        if (rows.Count == 0 || answers.Length != callers.Length || (parts[0] != Any && !States.Contains(parts[0])))
            throw new FormatException($"A state and {callers.Length} answers are expected: {line}");
        rows[^1].Answers.Add(parts[0], answers);
    }

    private IEnumerable<MatrixCell> CellsOf((MatrixRow Row, Dictionary<string, string[]> Answers) row) =>
        from state in row.Answers.ContainsKey(Any) ? [Any] : States
        from caller in callers.Concat(WithoutCredential).Concat(["key-without-scope", "key-as-member"])
        select new MatrixCell(0, row.Row, state == Any ? Active : state, caller, Expected(row, state, caller));

    private string Expected((MatrixRow Row, Dictionary<string, string[]> Answers) row, string state, string caller)
    {
        if (row.Row.Need is not null && WithoutCredential.Contains(caller))
            return words["401"];
        if (row.Row.Need is not null && caller == "key-without-scope")
            return words["scope"];
        var column = Math.Max(Array.IndexOf(callers, caller == "key-as-member" ? "member" : caller), 0);
        var word = row.Answers.TryGetValue(state, out var answers) ? answers[column]
            : state == Deleted && row.Row.Need is not null ? "404"
            : ".";
        if (word == ".")
            word = row.Answers.TryGetValue(Active, out var active)
                ? active[column] : throw new FormatException($"There is no line 'active': {row.Row}");
        return words.GetValueOrDefault(word) ?? (word is ['2', _, _] ? word : throw new FormatException($"What is '{word}'? {row.Row}"));
    }
}
