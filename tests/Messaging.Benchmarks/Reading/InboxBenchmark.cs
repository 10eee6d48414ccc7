using Messaging.Application.Conversations;
using Messaging.Benchmarks.Data;
using Npgsql;
using NpgsqlTypes;

namespace Messaging.Benchmarks.Reading;

/// <summary>First pages of inboxes, with every filter.</summary>
sealed class InboxBenchmark(Bench bench)
{
    const int PageSize = 50;
    const int Readers = 16;
    const int Users = 200;

    public static string AllSql { get; } = Statements.Of<ListInboxHandler>("AllSql");

    public static string UnreadSql { get; } = Statements.Of<ListInboxHandler>("UnreadPageSql");

    public static string PlacesSql { get; } = Statements.Of<ListInboxHandler>("AllPlacesSql");

    public static string ParticipantsSql { get; } = Statements.Of<ConversationViewStore>("ParticipantsSql");

    public async Task RunAsync()
    {
        await Desk.FillAsync(bench.Database.DataSource, bench.Stop);
        bench.Report.Table("inbox: GET /v1/conversations, 50 a page");
        string[] ordinary = [.. Enumerable.Range(1, Users).Select(i => Shape.UserId(i * 7))];
        string[] busiest = [Shape.UserId(Shape.Busiest)];
        await Of("ordinary users", ordinary, "").CompareAsync(bench, 1);
        await Of("ordinary users", ordinary, "").CompareAsync(bench, Readers);
        await Of("ordinary users, unread", ordinary, "&filter=unread", UnreadSql).CompareAsync(bench, Readers);
        await Of("ordinary users, groups", ordinary, "&type=group", type: "group").CompareAsync(bench, Readers);
        await Of("in 10,000 conversations", busiest, "").CompareAsync(bench, 1);
        await Of("in 10,000 conversations", busiest, "").CompareAsync(bench, Readers);
        await Of("in 10,000 conversations, all active today", [Desk.UserId], "", PlacesSql).CompareAsync(bench, 1);
        await Of("in 10,000 conversations, all active today", [Desk.UserId], "", PlacesSql).CompareAsync(bench, Readers);
        await Of("in 10,000 conversations, unread", busiest, "&filter=unread", UnreadSql).CompareAsync(bench, Readers);
        await Of("in 10,000 conversations, starred", busiest, "&filter=starred", Statements.Of<ListInboxHandler>("StarredSql"))
            .CompareAsync(bench, Readers);
        await Of("in 10,000 conversations, archived", busiest, "&filter=archived", Statements.Of<ListInboxHandler>("ArchivedSql"))
            .CompareAsync(bench, Readers);
        await Of("in 10,000 conversations, direct", busiest, "&type=direct", type: "direct").CompareAsync(bench, Readers);
        await Of("in 10,000 conversations, by name", busiest, "&q=ada", pattern: "%ada%").CompareAsync(bench, Readers);
    }

    /// <summary>The parameters of a first page, whatever its filter.</summary>
    public static NpgsqlParameter[] Parameters(string user, string? type = null, string? pattern = null) =>
    [
        new("UserId", NpgsqlDbType.Text) { Value = user },
        new("BeforeTime", NpgsqlDbType.TimestampTz) { Value = new DateTime(9999, 1, 1, 0, 0, 0, DateTimeKind.Utc) },
        new("BeforeId", NpgsqlDbType.Uuid) { Value = Guid.Empty },
        Text("Type", type),
        Text("ContextType", null),
        Text("ContextId", null),
        Text("Pattern", pattern),
        new("Take", NpgsqlDbType.Integer) { Value = PageSize + 1 },
    ];

    Pages Of(string what, string[] users, string query, string? sql = null, string? type = null, string? pattern = null) => new(
        what,
        [.. users.Select(user => bench.Service.Requests.Get(user, $"/v1/conversations?limit={PageSize}{query}"))],
        sql ?? AllSql,
        [.. users.Select(user => Parameters(user, type, pattern))],
        ParticipantsSql);

    static NpgsqlParameter Text(string name, string? value) => new(name, NpgsqlDbType.Text) { Value = (object?)value ?? DBNull.Value };
}
