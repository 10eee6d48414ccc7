using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Events;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Contacts;
using Messaging.Domain.Conversations;
using NodaTime;

namespace Messaging.Application.Contacts;

/// <summary>Loads and saves the relationship of two users under the pair's lock, which is taken before that of any conversation.</summary>
public sealed class PairStore(DbSession session, ChangeRunner changes, Outbox outbox, PairQueue queue, PolicySettings policies)
{
    /// <summary>
    /// Holds for a <c>direct_key</c> of the <c>pair</c>, whose key without a context it is: no part but the last holds a space, and ! comes
    /// after it. Index: pk_direct_keys.
    /// </summary>
    public const string KeysOfPair = "(direct_key = pair OR (direct_key >= pair || ' ' AND direct_key < pair || '!'))";

    /// <summary>
    /// The key of the lock for an <c>adder</c> and an <c>added</c> user: shared while adding to a group, exclusive for a block or the end
    /// of a contact. 64 keys per adder, not one per pair: PostgreSQL has room for some thousands of locks, and a group can start with
    /// hundreds of users.
    /// </summary>
    public const string AddingKey = "hashtextextended('messaging:adding:' || adder || ' ' || (hashtext(added) & 63), 0)";

    // One lock for the pair, whichever user acts: contacts, blocks, requests and opening a conversation are decided one after the other.
    private const string PairKey =
        "hashtextextended('messaging:pair:' || least(@One::text, @Other::text) || ' ' || greatest(@One::text, @Other::text), 0)";

    // A transaction that already has the lock gets it again.
    private const string TryLockSql =
        $"SELECT set_config('lock_timeout', @Timeout, true) IS NOT NULL AND pg_try_advisory_xact_lock({PairKey})";

    private const string LockSql = $"SELECT pg_advisory_xact_lock({PairKey})";

    // After the lock, in a statement of its own. Index: pk_contacts, pk_blocks, pk_declines, uq_message_requests_pair.
    private const string LoadSql =
        """
        SELECT s.user_id, c.status, c.requested_by, c.created_at, c.accepted_at,
            EXISTS (SELECT FROM blocks b WHERE b.user_id = s.user_id AND b.blocked_id = s.other_id) AS blocks,
            d.declined_at, d.taken_back_at, r.id AS first_id, r.from_id, r.status AS first_status, r.answered_at, clock_timestamp() AS now
        FROM (VALUES (@One::text, @Other::text), (@Other::text, @One::text)) AS s (user_id, other_id)
        LEFT JOIN contacts c ON c.user_id = s.user_id AND c.contact_id = s.other_id
        LEFT JOIN declines d ON d.user_id = s.user_id AND d.asker_id = s.other_id
        LEFT JOIN message_requests r ON r.pair = @Pair AND r.status <> 'accepted'
        """;

    // Under the pair's lock, like the statements below.
    private const string SaveContactSql =
        """
        INSERT INTO contacts (user_id, contact_id, status, requested_by, created_at, accepted_at)
        VALUES (@UserId, @OtherId, @Status, @RequestedBy, @CreatedAt, @AcceptedAt)
        ON CONFLICT (user_id, contact_id) DO UPDATE
        SET status = EXCLUDED.status, created_at = EXCLUDED.created_at, accepted_at = EXCLUDED.accepted_at
        """;

    private const string RemoveContactSql =
        """
        DELETE FROM contacts
        WHERE user_id = @UserId AND contact_id = @OtherId
        """;

    private const string SaveDeclineSql =
        """
        INSERT INTO declines (user_id, asker_id, declined_at, taken_back_at)
        VALUES (@UserId, @OtherId, @DeclinedAt, @TakenBackAt)
        ON CONFLICT (user_id, asker_id) DO UPDATE
        SET declined_at = EXCLUDED.declined_at, taken_back_at = EXCLUDED.taken_back_at
        """;

    private const string RemoveDeclineSql =
        """
        DELETE FROM declines
        WHERE user_id = @UserId AND asker_id = @OtherId
        """;

    private const string BlockSql =
        """
        INSERT INTO blocks (user_id, blocked_id, created_at)
        VALUES (@UserId, @OtherId, @Now)
        """;

    private const string UnblockSql =
        """
        DELETE FROM blocks
        WHERE user_id = @UserId AND blocked_id = @OtherId
        """;

    // Conversations that follow in one round trip, and wait in memory for it.
    private const int AtOnce = 500;

    // None is made meanwhile, nor does any stand otherwise. Index: pk_direct_keys, the range of the pair; pk_conversations.
    private const string ConversationsSql =
        $"""
        SELECT c.id, c.blocked, c.request IS NOT NULL AS waits
        FROM (VALUES (@Pair::text)) AS the (pair)
        JOIN direct_keys ON {KeysOfPair}
        JOIN conversations c ON c.id = conversation_id
        ORDER BY c.id
        """;

    // Index: pk_message_requests.
    private const string AnswerSql =
        """
        UPDATE message_requests
        SET status = @Status, answered_at = @AnsweredAt
        WHERE id = @Id
        """;

    // Exclusive, while users who add people to groups share them: nobody is added across a block that was answered. Taken last, after the
    // conversations of the two, so that they are held for the commit only. In the order of the keys.
    private const string AddingKeysSql =
        $"""
        SELECT {AddingKey} AS key
        FROM (VALUES (@One::text, @Other::text), (@Other::text, @One::text)) AS the (adder, added)
        ORDER BY key
        """;

    // Stops at the first one held by others, so that none is taken out of order.
    private const string TryStopAddingSql =
        $"""
        SELECT CASE WHEN pg_try_advisory_xact_lock(min(key)) THEN pg_try_advisory_xact_lock(max(key)) ELSE false END
        FROM ({AddingKeysSql}) AS k
        """;

    private const string StopAddingSql = $"SELECT pg_advisory_xact_lock(key) FROM ({AddingKeysSql}) AS k";

    // Counts no further than the limit. Index: pk_direct_keys, the range of the pair.
    private const string CountSql =
        $"""
        SELECT count(*)
        FROM (
            SELECT
            FROM (VALUES (@Pair::text)) AS the (pair)
            JOIN direct_keys ON {KeysOfPair}
            LIMIT @Limit
        ) AS counted
        """;

    /// <summary>
    /// Does something within the transaction that is open, or else within one of its own, for which others with the same key wait on this
    /// node.
    /// </summary>
    public Task<T> TransactAsync<T>(string key, Func<Task<T>> use, CancellationToken ct) =>
        session.InTransaction ? use() : queue.Turns.TakeAsync(key, () => session.TransactAsync(use, ct), ct);

    /// <summary>The relationship of the two as the first user sees it, locked until the transaction ends.</summary>
    public Task<Relationship> LockAsync(UserId one, UserId other, CancellationToken ct) =>
        LockAsync(one, other, blocks: false, ct);

    /// <summary>The same for the first of them to block the other one, or to lift that: all that the other one is at ends before.</summary>
    public Task<Relationship> LockToBlockAsync(UserId one, UserId other, CancellationToken ct) =>
        LockAsync(one, other, blocks: true, ct);

    private async Task<Relationship> LockAsync(UserId one, UserId other, bool blocks, CancellationToken ct)
    {
        var pair = new
        {
            One = one.Value,
            Other = other.Value,
            Pair = NewConversation.DirectKey(one, other, context: null),
            Timeout = blocks ? "10s" : "1s",
        };
        await TakeAsync(TryLockSql, LockSql, pair, one, blocks, ct);
        var rows = await session.QueryAsync<Row>(LoadSql, pair, ct);
        var (mine, theirs) = (rows.Find(row => row.UserId == one)!, rows.Find(row => row.UserId == other)!);
        return Relationship.Restore(mine.ToSide(), theirs.ToSide(), mine.ToFirst(), Duration.FromDays(policies.DeclineDays), mine.Now);
    }

    /// <summary>Writes the changed relationship and its events, and applies it to the conversations of the two.</summary>
    public async Task SaveAsync(Relationship pair, CancellationToken ct)
    {
        foreach (var (before, side) in pair.Changed)
            await SaveAsync(before, side, pair, ct);
        foreach (var news in pair.News)
            await TellAsync(news, pair, ct);
        if (pair.StandsOtherwise)
            await FollowAsync(pair, ct);
        // After the conversation is locked: who deletes it holds it, and goes for its request.
        if (pair.Answered is { } answered)
            await session.ExecuteAsync(AnswerSql, new { answered.Id, Status = TextOf(answered.Status), answered.AnsweredAt }, ct);
    }

    /// <summary>
    /// Waits until nobody adds one of the two to a group for the other, and keeps it so until the transaction ends. Called last.
    /// </summary>
    public Task StopAddingAsync(Relationship pair, CancellationToken ct)
    {
        var (one, other) = (pair.Mine.UserId, pair.Theirs.UserId);
        return TakeAsync(
            TryStopAddingSql, StopAddingSql, new { One = one.Value, Other = other.Value }, one, pair.Mine.Blocks, ct);
    }

    /// <summary>Refuses users whom the actor may not add to a group; their relationships are locked until the transaction ends.</summary>
    /// <param name="users">The users to be added.</param>
    /// <param name="placeOf">Where the request names a user.</param>
    public async Task EnsureMayAddAsync(
        Actor actor, ConversationId id, IReadOnlyList<UserId> users, Instant now, Func<UserId, string> placeOf, CancellationToken ct)
    {
        var acquainted = new AcquaintancePart(policies);
        acquainted.Require(id, actor, users);
        await session.UseTransactionAsync(async (connection, transaction) =>
        {
            await using var round = new Round(connection, transaction);
            acquainted.Lock(round, waits: true, _ => { });
            acquainted.Load(round);
            if (!round.IsEmpty)
                await round.RunAsync(ct);
        });
        acquainted.EnsureMayAdd(actor, users, now, placeOf);
    }

    /// <summary>Refuses if the two have as many conversations as the limit. Under the pair's lock.</summary>
    public async Task EnsureRoomAsync(Relationship pair, CancellationToken ct)
    {
        const int limit = NewConversation.LimitOfTwo;
        var key = NewConversation.DirectKey(pair.Mine.UserId, pair.Theirs.UserId, context: null);
        if (await session.QuerySingleAsync<long>(CountSql, new { Pair = key, Limit = limit }, ct) >= limit)
            throw ConversationErrors.TooManyOfTwo(limit);
    }

    // A lock that is free needs no place in the queue.
    private async Task TakeAsync(string trySql, string sql, object parameters, UserId caller, bool blocks, CancellationToken ct)
    {
        if (!await session.QuerySingleAsync<bool>(trySql, parameters, ct))
            await queue.WaitAsync(caller, blocks, waiting => session.ExecuteAsync(sql, parameters, waiting), ct);
    }

    private async Task FollowAsync(Relationship pair, CancellationToken ct)
    {
        var key = NewConversation.DirectKey(pair.Mine.UserId, pair.Theirs.UserId, context: null);
        var all = await session.QueryAsync<ConversationRow>(ConversationsSql, new { Pair = key }, ct);
        // In the order of their ids, as they are locked. Two may have one for each of any number of contexts.
        foreach (var some in all.Where(row => pair.Opens ? row.Waits : row.Blocked != pair.IsBlocked).Chunk(AtOnce))
            await changes.RunTogetherAsync([.. some.Select(row => new PairChange(row.Id, pair))], ct);
    }

    private async Task SaveAsync(Side before, Side side, Relationship pair, CancellationToken ct)
    {
        var row = new
        {
            UserId = side.UserId.Value,
            OtherId = pair.OtherThan(side.UserId).Value,
            Status = side.Contact is { } contact ? TextOf(contact.Status) : null,
            RequestedBy = side.Contact?.RequestedBy.Value,
            side.Contact?.CreatedAt,
            side.Contact?.AcceptedAt,
            side.DeclinedAt,
            side.TakenBackAt,
            pair.Now,
        };
        if (side.Contact != before.Contact)
            await session.ExecuteAsync(side.Contact is null ? RemoveContactSql : SaveContactSql, row, ct);
        if ((side.DeclinedAt, side.TakenBackAt) != (before.DeclinedAt, before.TakenBackAt))
            await session.ExecuteAsync((side.DeclinedAt ?? side.TakenBackAt) is null ? RemoveDeclineSql : SaveDeclineSql, row, ct);
        if (side.Blocks != before.Blocks)
            await session.ExecuteAsync(side.Blocks ? BlockSql : UnblockSql, row, ct);
    }

    private Task TellAsync(ContactEvent news, Relationship pair, CancellationToken ct)
    {
        var other = pair.OtherThan(news.Fact.Audience);
        return news.Fact switch
        {
            RequestReceived or RequestAnswered => outbox.TellAsync(news.Fact, new RequestValues { Id = pair.First!.Id }, ct),
            BlockChanged => outbox.TellAsync(news.Fact, new BlockChange(other, pair.Mine.Blocks), ct),
            _ => outbox.TellAsync(news.Fact, ContactValues.Of(other, news.Was), ct),
        };
    }

    private static string TextOf<T>(T status)
        where T : struct, Enum => status.ToString().ToLowerInvariant();

    private sealed record ConversationRow(ConversationId Id, bool Blocked, bool Waits);

    private sealed record Row(
        UserId UserId, ContactStatus? Status, UserId? RequestedBy, Instant? CreatedAt, Instant? AcceptedAt, bool Blocks,
        Instant? DeclinedAt, Instant? TakenBackAt, Guid? FirstId, UserId? FromId, RequestStatus? FirstStatus, Instant? AnsweredAt,
        Instant Now)
    {
        public Side ToSide() => new(
            UserId, Status is { } status ? new Contact(status, RequestedBy!.Value, CreatedAt!.Value, AcceptedAt) : null, Blocks, DeclinedAt,
            TakenBackAt);

        public FirstMessage? ToFirst() => FirstId is { } id ? new FirstMessage(id, FromId!.Value, FirstStatus!.Value, AnsweredAt) : null;
    }
}
