using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace Messaging.Benchmarks.Data;

/// <summary>Fills a migrated database by COPY, indexes being built afterwards, and says how far it is.</summary>
sealed class Loader(NpgsqlDataSource database, Shape shape, TextWriter output)
{
    static readonly string[] Tables =
    [
        "users", "conversations", "direct_keys", "slugs", "participants", "messages", "message_keys", "message_gaps", "mentions",
        "read_marks",
        "delivered_marks", "reactions", "reaction_counts", "attachments", "pins", "message_hidden",
    ];

    readonly Stopwatch watch = Stopwatch.StartNew();

    public async Task LoadAsync(CancellationToken ct)
    {
        var now = DateTime.UtcNow;
        var dataset = new Dataset(shape, now);
        Say($"planned {dataset.Conversations.Count:N0} conversations");
        await CreatePartitionsAsync(dataset.Oldest, now, ct);
        var indexes = await Indexes.OfAsync(database, Tables, ct);
        await indexes.DropAsync(database, ct);

        await using var connection = await database.OpenConnectionAsync(ct);
        await new PeopleCopy(connection, shape, now).CopyAsync(ct);
        Say($"{shape.Users:N0} users");
        await new MessageCopy(connection, dataset, now).CopyAsync(Progress, ct);
        await new ConversationCopy(connection, dataset).CopyAsync(ct);
        Say("conversations and participants");
        await new ReactionCopy(connection, dataset).CopyAsync(ct);
        await new ExtraCopy(connection, dataset).CopyAsync(ct);
        Say("reactions, files and pins");
        foreach (var sql in indexes.Definitions)
        {
            await ExecuteAsync(connection, sql, ct);
            Say(sql.Length > 100 ? sql[..100] + "…" : sql);
        }

        await ExecuteAsync(connection, "VACUUM ANALYZE", ct);
        Say("vacuumed and analysed");
    }

    async Task CreatePartitionsAsync(DateTime oldest, DateTime now, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        for (var day = new DateOnly(oldest.Year, oldest.Month, 1); day <= DateOnly.FromDateTime(now.AddMonths(2)); day = day.AddMonths(1))
            await ExecuteAsync(
                connection, string.Create(CultureInfo.InvariantCulture, $"SELECT create_messages_partition('{day:yyyy-MM-dd}')"), ct);
    }

    void Progress(int done, int all)
    {
        var perSecond = done / watch.Elapsed.TotalSeconds;
        Say($"{done:N0} of {all:N0} messages, {perSecond:N0} a second");
    }

    void Say(FormattableString step) => Say(step.ToString(CultureInfo.InvariantCulture));

    void Say(string step) => output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {watch.Elapsed.TotalSeconds,5:0} s  {step}"));

    static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(ct);
    }
}
