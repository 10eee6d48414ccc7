using Dapper;
using Messaging.Application.Common;
using Messaging.Application.Events;
using Messaging.Application.Messages;
using Messaging.Domain.Conversations;
using Messaging.Domain.Participants;
using NodaTime;
using Npgsql;
using NpgsqlTypes;

namespace Messaging.Infrastructure.Events;

/// <summary>A participant of a conversation, as far as delivery depends on it.</summary>
public sealed record FeedMember
{
    public Guid ConversationId { get; init; }

    public string UserId { get; init; } = "";

    /// <summary>Not while a message request is pending.</summary>
    public bool Hears { get; init; }

    public long ClearedSeq { get; init; }

    /// <summary>Whether the user may have deleted some of its messages for themselves.</summary>
    public bool HasGaps { get; init; }

    /// <summary>Whether the user joined before the first message.</summary>
    public bool HasFounded { get; init; }

    /// <summary>Whether the member receives an event that is for everybody who hears what happens in the conversation.</summary>
    /// <param name="isHidden">Whether a member has deleted a message for themselves.</param>
    public bool Receives(FeedRow row, Predicate<(Guid ConversationId, string UserId, long Seq)> isHidden) =>
        Sees(row.Seq, isHidden) && (HasFounded || row.Type != ConversationCreated.Name);

    /// <summary>Whether the member may see a message; null for none.</summary>
    public bool Sees(long? seq, Predicate<(Guid ConversationId, string UserId, long Seq)> isHidden) =>
        seq is not { } of || new Visibility(ClearedSeq).Shows(of, isHidden((ConversationId, UserId, of)));
}

/// <summary>What events tell and to whom, all of one moment.</summary>
/// <param name="of">The data of a row; null if it is not delivered any more.</param>
/// <param name="present">Of the listeners those who take part, by conversation.</param>
/// <param name="isHeard">Whether the one user whom an event is for receives it.</param>
public sealed class FeedData(Func<FeedRow, object?> of, ILookup<Guid, FeedMember> present, Func<FeedRow, bool> isHeard)
{
    public object? Of(FeedRow row) => of(row);

    public bool IsHeard(FeedRow row) => isHeard(row);

    /// <summary>Those who take part in a conversation, whether they hear of it or not.</summary>
    public IEnumerable<string> PresentIn(Guid conversation) => present[conversation].Select(member => member.UserId);

    /// <summary>The listeners who hear what happens in a conversation.</summary>
    public IEnumerable<FeedMember> MembersOf(Guid conversation) => present[conversation].Where(member => member.Hears);

    public IReadOnlyCollection<string> HearingIn(Guid conversation) => [.. MembersOf(conversation).Select(member => member.UserId)];
}

/// <summary>Reads new events at the end of the feed, with their data and receivers, again and again on one connection.</summary>
public sealed class FeedTail : IAsyncDisposable
{
    public const int BatchSize = 1_000;

    // More than members of the largest groups of a batch would be a third of.
    private const int MaxAskedFor = 100_000;

    // The plans are made once and must not depend on how full the tables were at that moment. The statements of one round trip share a
    // snapshot: receivers and data match, so nobody receives what was sent after they left.
    private const string SessionSql =
        """
        SET jit = off;
        SET enable_seqscan = off;
        SET plan_cache_mode = force_generic_plan;
        SET default_transaction_isolation = 'repeatable read'
        """;

    // Index: pk_feed of every day, because an event's day does not determine its position.
    private const string NextSql =
        """
        SELECT position, occurred_at, conversation_id, seq, user_id, type, payload
        FROM feed
        WHERE position > @After
        ORDER BY position
        LIMIT @Limit
        """;

    private const string HearingColumns =
        $"""
        p.conversation_id, p.user_id, {VisibilitySql.Hears} AS hears, {VisibilitySql.Start} AS cleared_seq, p.has_gaps,
            {VisibilitySql.Founded} AS has_founded
        """;

    // Index: pk_participants, a row for each of this node's listeners in a conversation. Read after the events: users who have left by now,
    // or not accepted a request, receive none of them.
    private const string HearingSql =
        $"""
        SELECT {HearingColumns}
        FROM unnest(@HeardIn::uuid[], @HeardBy::text[]) AS k (conversation_id, user_id)
        JOIN participants p ON p.conversation_id = k.conversation_id AND p.user_id = k.user_id AND {VisibilitySql.TakesPart}
        """;

    // The same where listeners of whom is not known where they take part are many: fewer take part than would be asked for. Others than
    // listeners are among them, and no receiver knows those. Index: pk_participants.
    private const string HearingOfAllSql =
        $"""
        SELECT {HearingColumns}
        FROM participants p
        WHERE p.conversation_id = ANY (@HeardIn::uuid[]) AND {VisibilitySql.TakesPart}
        """;

    // For events with a single receiver, who must be a participant as well; but removal and deletion
    // of the conversation reach those who are out. Index: pk_participants.
    private const string HearersSql =
        $"""
        SELECT e.conversation_id, e.user_id, e.type
        FROM unnest(@OwnIn::uuid[], @OwnBy::text[], @OwnTypes::text[]) AS e (conversation_id, user_id, type)
        JOIN participants p ON p.conversation_id = e.conversation_id AND p.user_id = e.user_id AND {VisibilitySql.HearsOwn}
        """;

    // Index: pk_message_hidden.
    private const string HiddenSql =
        """
        SELECT k.conversation_id, k.user_id, k.seq
        FROM unnest(@ConversationIds::uuid[], @UserIds::text[], @Seqs::bigint[]) AS k (conversation_id, user_id, seq)
        JOIN message_hidden h ON h.conversation_id = k.conversation_id AND h.user_id = k.user_id AND h.seq = k.seq
        """;

    private readonly NpgsqlConnection connection;
    private readonly NpgsqlCommand state;
    private readonly NpgsqlBatch next;
    private readonly EventRenderer teller;
    private readonly NpgsqlCommand hidden;

    private FeedTail(NpgsqlConnection connection, EventRenderer teller)
    {
        this.connection = connection;
        this.teller = teller;
        state = new NpgsqlCommand(EventStore.StateSql, connection);
        var rows = new NpgsqlBatchCommand(NextSql);
        rows.Parameters.Add(new NpgsqlParameter("After", NpgsqlDbType.Bigint));
        rows.Parameters.Add(new NpgsqlParameter("Limit", NpgsqlDbType.Bigint));
        next = new NpgsqlBatch(connection) { BatchCommands = { rows, new NpgsqlBatchCommand(EventStore.StateSql) } };
        hidden = new NpgsqlCommand(HiddenSql, connection);
        hidden.Parameters.Add(new NpgsqlParameter("ConversationIds", NpgsqlDbType.Array | NpgsqlDbType.Uuid));
        hidden.Parameters.Add(new NpgsqlParameter("UserIds", NpgsqlDbType.Array | NpgsqlDbType.Text));
        hidden.Parameters.Add(new NpgsqlParameter("Seqs", NpgsqlDbType.Array | NpgsqlDbType.Bigint));
    }

    public static async Task<FeedTail> OpenAsync(NpgsqlDataSource database, EventRenderer teller, CancellationToken ct)
    {
        var tail = new FeedTail(await database.OpenConnectionAsync(ct), teller);
        await using (var session = new NpgsqlCommand(SessionSql, tail.connection))
            await session.ExecuteNonQueryAsync(ct);
        await tail.state.PrepareAsync(ct);
        await tail.next.PrepareAsync(ct);
        await tail.hidden.PrepareAsync(ct);
        return tail;
    }

    /// <summary>The end of the feed, and the position up to which it has been deleted.</summary>
    public async Task<(FeedCursor End, long Expired)> ReadEndAsync(CancellationToken ct)
    {
        await using var reader = await state.ExecuteReaderAsync(ct);
        return await ReadEndAsync(reader, ct);
    }

    /// <summary>The next events, then the end of the feed and the position up to which it has been deleted, read after them.</summary>
    public async Task<(List<FeedRow> Rows, FeedCursor End, long Expired)> ReadNextAsync(long after, int limit, CancellationToken ct)
    {
        next.BatchCommands[0].Parameters[0].Value = after;
        next.BatchCommands[0].Parameters[1].Value = (long)limit;
        var rows = new List<FeedRow>();
        await using var reader = await next.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            rows.Add(ReadRow(reader, first: 0));
        await reader.NextResultAsync(ct);
        var (end, expired) = await ReadEndAsync(reader, ct);
        return (rows, end, expired);
    }

    /// <summary>
    /// The data of each row, which of those who listen take part in its conversation now, and which of the events for a single user that
    /// user receives.
    /// </summary>
    /// <param name="listeners">Those who may take part, by conversation.</param>
    public Task<FeedData> ReadDataAsync(
        IReadOnlyList<FeedRow> rows, IReadOnlyDictionary<Guid, IReadOnlyCollection<string>> listeners, CancellationToken ct) =>
        ReadDataAsync(rows, teller.ReadData(rows, reader: null), listeners, ct);

    /// <summary>The same without the data.</summary>
    public Task<FeedData> ReadHearersAsync(
        IReadOnlyList<FeedRow> rows, IReadOnlyDictionary<Guid, IReadOnlyCollection<string>> listeners, CancellationToken ct) =>
        ReadDataAsync(rows, teller.ReadData([], reader: null), listeners, ct);

    private async Task<FeedData> ReadDataAsync(
        IReadOnlyList<FeedRow> rows, Reading<Func<FeedRow, object?>> reading,
        IReadOnlyDictionary<Guid, IReadOnlyCollection<string>> listeners, CancellationToken ct)
    {
        var parameters = new DynamicParameters(reading.Parameters);
        var asked = rows.Where(DependsOnPlace).Select(ListenerRow.Of).Distinct().ToList();
        parameters.Add("OwnIn", asked.Select(row => row.ConversationId).ToArray());
        parameters.Add("OwnBy", asked.Select(row => row.UserId).ToArray());
        parameters.Add("OwnTypes", asked.Select(row => row.Type).ToArray());
        var hearing = AskWhoHears(listeners, parameters);
        await using var grid = await connection.QueryMultipleAsync(new CommandDefinition(
            hearing + (asked.Count > 0 ? ";" + HearersSql : "") + (reading.Sql.Length > 0 ? ";" + reading.Sql : ""), parameters,
            cancellationToken: ct));
        var members = (await grid.ReadAsync<FeedMember>()).ToLookup(member => member.ConversationId);
        var hearers = asked.Count > 0 ? (await grid.ReadAsync<ListenerRow>()).ToHashSet() : [];
        return new FeedData(
            await reading.ReadAsync(grid), members, row => !DependsOnPlace(row) || hearers.Contains(ListenerRow.Of(row)));
    }

    private static string AskWhoHears(IReadOnlyDictionary<Guid, IReadOnlyCollection<string>> listeners, DynamicParameters parameters)
    {
        if (listeners.Sum(pair => pair.Value.Count) > MaxAskedFor)
        {
            parameters.Add("HeardIn", listeners.Keys.ToArray());
            return HearingOfAllSql;
        }
        parameters.Add("HeardIn", listeners.SelectMany(pair => Enumerable.Repeat(pair.Key, pair.Value.Count)).ToArray());
        parameters.Add("HeardBy", listeners.SelectMany(pair => pair.Value).ToArray());
        return HearingSql;
    }

    /// <summary>The data of each row as a service is told it; null for a row that is not told any more.</summary>
    public async Task<Func<FeedRow, JsonText?>> ReadForServicesAsync(IReadOnlyList<FeedRow> rows, CancellationToken ct)
    {
        var reading = teller.Read(rows, reader: null);
        if (reading.Sql.Length == 0)
            return await reading.ReadAsync(null!);
        await using var grid = await connection.QueryMultipleAsync(
            new CommandDefinition(reading.Sql, reading.Parameters, cancellationToken: ct));
        return await reading.ReadAsync(grid);
    }

    /// <summary>What else a follower wants to know, from this connection's snapshot.</summary>
    public async Task<List<T>> QueryAsync<T>(string sql, object parameters, CancellationToken ct) =>
        (await connection.QueryAsync<T>(new CommandDefinition(sql, parameters, cancellationToken: ct))).AsList();

    private static bool DependsOnPlace(FeedRow row) =>
        row is { UserId: not null, ConversationId: not null } && row.Type is not (ParticipantRemoved.Name or ConversationDeleted.Name);

    /// <summary>Which members have deleted which messages, that the rows are about or include, for themselves.</summary>
    /// <param name="shownSeq">The message that a row's data includes beside its own; null for none.</param>
    public async Task<HashSet<(Guid ConversationId, string UserId, long Seq)>> ReadHiddenAsync(
        IReadOnlyList<FeedRow> rows, FeedData data, Func<FeedRow, long?> shownSeq, CancellationToken ct)
    {
        var asked = new HashSet<(Guid ConversationId, string UserId, long Seq)>();
        foreach (var row in rows)
        {
            if (row is not { UserId: null, ConversationId: { } id })
                continue;
            foreach (var member in data.MembersOf(id).Where(member => member.HasGaps))
            {
                if (row.Seq is { } own)
                    asked.Add((id, member.UserId, own));
                if (shownSeq(row) is { } shown)
                    asked.Add((id, member.UserId, shown));
            }
        }
        var result = new HashSet<(Guid ConversationId, string UserId, long Seq)>();
        if (asked.Count == 0)
            return result;
        hidden.Parameters[0].Value = asked.Select(key => key.ConversationId).ToArray();
        hidden.Parameters[1].Value = asked.Select(key => key.UserId).ToArray();
        hidden.Parameters[2].Value = asked.Select(key => key.Seq).ToArray();
        await using var reader = await hidden.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            result.Add((reader.GetGuid(0), reader.GetString(1), reader.GetInt64(2)));
        return result;
    }

    public async ValueTask DisposeAsync()
    {
        await state.DisposeAsync();
        await next.DisposeAsync();
        await hidden.DisposeAsync();
        await connection.DisposeAsync();
    }

    private static async Task<(FeedCursor End, long Expired)> ReadEndAsync(NpgsqlDataReader reader, CancellationToken ct)
    {
        await reader.ReadAsync(ct);
        return (new FeedCursor(reader.GetInt64(0), reader.GetInt64(1)), reader.GetInt64(2));
    }

    /// <summary>The event in a reader's current row, whose feed columns begin at <paramref name="first"/>.</summary>
    public static FeedRow ReadRow(NpgsqlDataReader reader, int first) => new(
        reader.GetInt64(first),
        Instant.FromDateTimeUtc(reader.GetDateTime(first + 1)),
        reader.IsDBNull(first + 2) ? null : reader.GetGuid(first + 2),
        reader.IsDBNull(first + 3) ? null : reader.GetInt64(first + 3),
        reader.IsDBNull(first + 4) ? null : reader.GetString(first + 4),
        reader.GetString(first + 5),
        reader.IsDBNull(first + 6) ? null : JsonText.OfStored(reader.GetString(first + 6)));

    private sealed record ListenerRow(Guid ConversationId, string UserId, string Type)
    {
        public static ListenerRow Of(FeedRow row) => new(row.ConversationId!.Value, row.UserId!, row.Type);
    }
}
