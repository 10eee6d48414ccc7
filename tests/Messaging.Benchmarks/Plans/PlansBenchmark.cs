using System.Globalization;
using System.Text.RegularExpressions;

namespace Messaging.Benchmarks.Plans;

/// <summary>
/// Writes the plans of the hot statements on the benchmark's data to files, and fails when one reads a whole table.
/// </summary>
sealed partial class PlansBenchmark(Bench bench)
{
    // Of the long history, so that its months are many.
    const string TargetSql = """
        SELECT c.id, p.user_id, c.last_seq, c.last_message_id
        FROM conversations c
        JOIN participants p ON p.conversation_id = c.id AND p.left_at IS NULL
        WHERE c.participant_count = @Participants
        ORDER BY c.last_seq DESC, p.user_id
        LIMIT 1
        """;

    static readonly string[] Tables =
    [
        "conversations", "participants", "users", "messages", "message_keys", "message_gaps", "message_hidden", "mentions", "read_marks",
        "message_edits", "message_originals", "pins", "attachments", "delivered_marks", "reactions", "reaction_counts", "outbox", "feed_2",
        "feed_ends", "inbox_places",
    ];

    string User => Data.Shape.UserId(new Data.Shape(bench.Options.Messages).Busy);

    static string Folder { get; } = Path.Combine(Repository.Root, "artifacts", "plans");

    public async Task RunAsync()
    {
        await Data.Desk.FillAsync(bench.Database.DataSource, bench.Stop);
        bench.Report.Heading($"plans of the hot statements, written to {Folder}");
        if (Directory.Exists(Folder))
            Directory.Delete(Folder, recursive: true);
        Directory.CreateDirectory(Folder);
        var setting = await SettingAsync();
        foreach (var statement in await StatementsAsync())
        {
            var plan = await Explanation.OfAsync(bench.Database.DataSource, statement, bench.Stop);
            await File.WriteAllLinesAsync(
                Path.Combine(Folder, FileName(statement.Name)), [$"-- {statement.Name}: {setting}", statement.Sql, "", .. plan],
                bench.Stop);
            var whole = Executed(plan)
                .Select(line => SequentialScan().Match(line)).Where(match => match.Success).Select(match => match.Groups["table"].Value)
                .Where(table => Array.Exists(Tables, hot => table.StartsWith(hot, StringComparison.Ordinal))).ToArray();
            var time = plan.Single(line => line.StartsWith("Execution Time: ", StringComparison.Ordinal))["Execution Time: ".Length..];
            bench.Report.Check(
                whole.Length == 0,
                $"{statement.Name}: {time}; whole tables read: {(whole.Length == 0 ? "none" : string.Join(", ", whole))}");
        }
    }

    // What a plan depends on beside its statement.
    async Task<string> SettingAsync()
    {
        await using var command = bench.Database.DataSource.CreateCommand("SHOW server_version");
        var version = await command.ExecuteScalarAsync(bench.Stop);
        return string.Create(CultureInfo.InvariantCulture, $"PostgreSQL {version}, {bench.Options.Messages:N0} messages");
    }

    static string FileName(string statement) => $"{NoLetters().Replace(statement.ToLowerInvariant(), "-").Trim('-')}.txt";

    async Task<IEnumerable<HotStatement>> StatementsAsync()
    {
        await using var command = bench.Database.DataSource.CreateCommand(TargetSql);
        command.Parameters.AddWithValue("Participants", Data.Shape.HistoryGroup);
        await using var reader = await command.ExecuteReaderAsync(bench.Stop);
        await reader.ReadAsync(bench.Stop);
        var search = Reading.SearchBenchmark.Explained(await SearchedAsync(), User);
        return HotStatements.Of(reader.GetGuid(0), reader.GetString(1), reader.GetInt64(2), reader.GetGuid(3)).Concat(search);
    }

    async Task<Guid[]> SearchedAsync()
    {
        await using var command = bench.Database.DataSource.CreateCommand("SELECT conversation_id FROM participants WHERE user_id = @User");
        command.Parameters.AddWithValue("User", User);
        var ids = new List<Guid>();
        await using var reader = await command.ExecuteReaderAsync(bench.Stop);
        while (await reader.ReadAsync(bench.Stop))
            ids.Add(reader.GetGuid(0));
        return [.. ids];
    }

    // Without the nodes that never ran.
    static IEnumerable<string> Executed(IReadOnlyList<string> plan)
    {
        var skipDeeperThan = int.MaxValue;
        foreach (var line in plan)
        {
            var depth = line.Length - line.TrimStart().Length;
            if (depth > skipDeeperThan)
                continue;
            var skipped = line.Contains("(never executed)", StringComparison.Ordinal);
            skipDeeperThan = skipped ? depth : int.MaxValue;
            if (!skipped)
                yield return line;
        }
    }

    [GeneratedRegex(@"Seq Scan on (?<table>\w+)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex SequentialScan();

    [GeneratedRegex("[^a-z0-9]+", RegexOptions.None, 1000)]
    private static partial Regex NoLetters();
}
