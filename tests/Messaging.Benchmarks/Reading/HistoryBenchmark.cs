using System.Globalization;
using Messaging.Benchmarks.Data;
using Npgsql;
using NpgsqlTypes;

namespace Messaging.Benchmarks.Reading;

/// <summary>Pages of 50 messages at several depths.</summary>
sealed class HistoryBenchmark(Bench bench)
{
    public const int PageSize = 50;

    const int Readers = 16;
    const int Pages = 60;

    public static string Sql => Statements.Details.PageSql;

    public async Task RunAsync()
    {
        bench.Report.Table("history: GET /v1/conversations/{id}/messages, 50 a page");
        var long20 = await MembersAsync(Shape.HistoryGroup, longest: false, conversations: 1);
        var longest = await MembersAsync(Shape.HistoryGroup, longest: true, conversations: 1);
        await Newest("the newest of one direct conversation", await MembersAsync(2, longest: true, conversations: 1))
            .CompareAsync(bench, 1);
        await Newest("the newest of 20,000", long20).CompareAsync(bench, 1);
        await Newest("the newest of 20,000", long20).CompareAsync(bench, Readers);
        await Newest("the newest of 1,000 groups", await MembersAsync(Shape.SmallGroup, longest: false, conversations: 1_000))
            .CompareAsync(bench, Readers);
        await Deep("10,000 deep", 10_000, longest).CompareAsync(bench, Readers);
        await Deep("100,000 deep", 100_000, longest).CompareAsync(bench, Readers);
    }

    /// <summary>The parameters of <see cref="Sql"/> for the page that ends at a seq, the newest when null.</summary>
    public static NpgsqlParameter[] Parameters(Guid conversation, string user, long? upto) =>
    [
        new("ConversationId", NpgsqlDbType.Uuid) { Value = conversation },
        new("UserId", NpgsqlDbType.Text) { Value = user },
        new("Upto", NpgsqlDbType.Bigint) { Value = (object?)upto ?? DBNull.Value },
        new("After", NpgsqlDbType.Bigint) { Value = DBNull.Value },
        new("Limit", NpgsqlDbType.Integer) { Value = PageSize },
        new("Receipts", NpgsqlDbType.Boolean) { Value = true },
    ];

    Pages Newest(string what, IReadOnlyList<Member> members) => Of(what, [.. members.Select(member => (member, (long?)null))]);

    Pages Deep(string what, int depth, IReadOnlyList<Member> members) =>
        Of(what, [.. Enumerable.Range(0, Pages)
            .Select(i => (members[i % members.Count], (long?)Math.Max(members[0].LastSeq - depth - (i * 37), PageSize)))]);

    Pages Of(string what, IReadOnlyList<(Member Member, long? Upto)> pages) => new(
        what,
        [.. pages.Select(page => bench.Service.Requests.Get(page.Member.User, Path(page.Member.Conversation, page.Upto)))],
        Sql,
        [.. pages.Select(page => Parameters(page.Member.Conversation, page.Member.User, page.Upto))]);

    static string Path(Guid conversation, long? upto) => string.Create(
        CultureInfo.InvariantCulture,
        $"/v1/conversations/{conversation}/messages?limit={PageSize}{(upto is null ? "" : $"&before={upto + 1}")}");

    async Task<IReadOnlyList<Member>> MembersAsync(int participants, bool longest, int conversations)
    {
        await using var command = bench.Database.DataSource.CreateCommand(
            """
            SELECT c.id, p.user_id, c.last_seq
            FROM (
                SELECT id, last_seq
                FROM conversations
                WHERE participant_count = @Participants
                ORDER BY CASE WHEN @Longest THEN -last_seq ELSE last_seq END
                LIMIT @Conversations
            ) c
            CROSS JOIN LATERAL (SELECT user_id FROM participants WHERE conversation_id = c.id ORDER BY user_id LIMIT @Members) p
            """);
        command.Parameters.AddWithValue("Participants", participants);
        command.Parameters.AddWithValue("Longest", longest);
        command.Parameters.AddWithValue("Conversations", conversations);
        command.Parameters.AddWithValue("Members", conversations == 1 ? 12 : 1);
        var members = new List<Member>();
        await using var reader = await command.ExecuteReaderAsync(bench.Stop);
        while (await reader.ReadAsync(bench.Stop))
            members.Add(new(reader.GetGuid(0), reader.GetString(1), reader.GetInt64(2)));
        return members;
    }

    sealed record Member(Guid Conversation, string User, long LastSeq);
}
