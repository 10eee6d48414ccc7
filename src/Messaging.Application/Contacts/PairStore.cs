using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Domain.Common;
using Messaging.Domain.Contacts;
using Messaging.Domain.Conversations;

namespace Messaging.Application.Contacts;

/// <summary>What stands between two people, and the lock under which it changes. Taken before the lock of any conversation.</summary>
public sealed class PairStore(DbSession session, PolicySettings policies)
{
    /// <summary>
    /// Holds for a <c>direct_key</c> of the <c>pair</c>, whose key without a context it is: no part but the last holds a space, and ! comes
    /// after it. Index: pk_direct_keys.
    /// </summary>
    public const string KeysOfPair = "(direct_key = pair OR (direct_key >= pair || ' ' AND direct_key < pair || '!'))";

    // One lock for the pair, whoever asks: contacts, blocks, requests and the opening of a conversation decide one after the other.
    private const string LockSql =
        """
        SELECT pg_advisory_xact_lock(hashtextextended('messaging:pair:' || least(@One::text, @Other::text) || ' ' || greatest(@One::text, @Other::text), 0))
        """;

    // Index: pk_contacts, pk_blocks.
    private const string StandingSql =
        """
        SELECT
            EXISTS (SELECT FROM contacts WHERE user_id = @One AND contact_id = @Other AND status = 'accepted') AS contacts,
            EXISTS (SELECT FROM blocks WHERE user_id = @One AND blocked_id = @Other)
                OR EXISTS (SELECT FROM blocks WHERE user_id = @Other AND blocked_id = @One) AS blocked
        """;

    // Who adds people to groups shares it; who blocks somebody, or ends a contact, takes that of both alone: nobody is added across a block
    // that was answered. One lock, however many are added. In the order of the ids.
    private const string AddingSql = "SELECT pg_advisory_xact_lock_shared(hashtextextended('messaging:adding:' || @UserId::text, 0))";

    private const string StopAddingSql =
        """
        SELECT pg_advisory_xact_lock(hashtextextended('messaging:adding:' || u.id, 0))
        FROM unnest(@UserIds::text[]) AS u (id)
        """;

    // Locks those who are brought, as their new rows do anyway, before it is asked whether they have left a group: who leaves one waits.
    // In the order of the ids. Index: pk_users.
    private const string BroughtSql =
        """
        SELECT id
        FROM users
        WHERE id = ANY(@UserIds)
        ORDER BY id
        FOR KEY SHARE
        """;

    // Index: pk_blocks, pk_contacts; pk_direct_keys, the range of each pair; pk_conversations; ix_participants_stays_out, the groups that each
    // has left lately, and pk_participants; of those that were deleted since, ix_departures_stays_out and pk_departures.
    private const string AcquaintedSql =
        $"""
        SELECT u.id AS user_id,
            EXISTS (SELECT FROM contacts WHERE user_id = @UserId AND contact_id = u.id AND status = 'accepted') AS contacts,
            EXISTS (SELECT FROM blocks WHERE user_id = @UserId AND blocked_id = u.id)
                OR EXISTS (SELECT FROM blocks WHERE user_id = u.id AND blocked_id = @UserId) AS blocked,
            @Asks AND EXISTS (
                SELECT FROM direct_keys d
                JOIN conversations c ON c.id = d.conversation_id
                WHERE {KeysOfPair} AND c.request IS NULL) AS talk,
            coalesce(gone.lately, false) AS left_lately
        FROM unnest(@UserIds::text[], @Pairs::text[]) AS u (id, pair)
        LEFT JOIN LATERAL (
            SELECT true AS lately
            FROM participants p
            JOIN participants mine ON mine.conversation_id = p.conversation_id AND mine.user_id = @UserId
            WHERE p.user_id = u.id AND p.stays_out_until > now()
            UNION ALL
            SELECT true
            FROM departures d
            JOIN departures mine ON mine.conversation_id = d.conversation_id AND mine.user_id = @UserId
            WHERE d.user_id = u.id AND d.stays_out_until > now()
            LIMIT 1
        ) gone ON true
        """;

    /// <summary>What stands between the two, until the transaction ends.</summary>
    public async Task<Standing> LockAsync(UserId one, UserId other, CancellationToken ct)
    {
        var pair = new { One = one.Value, Other = other.Value };
        await session.ExecuteAsync(LockSql, pair, ct);
        return await session.QuerySingleAsync<Standing>(StandingSql, pair, ct);
    }

    /// <summary>Has those who add people to groups wait who are one of the two. Under the pair's lock.</summary>
    public Task StopAddingAsync(UserId one, UserId other, CancellationToken ct) => session.ExecuteAsync(
        StopAddingSql, new { UserIds = one < other ? new[] { one.Value, other.Value } : [other.Value, one.Value] }, ct);

    /// <summary>
    /// Refuses to let people into a group whom the one who does may not write to under the rule for direct messages, anybody across a block,
    /// and, contacts aside, who has lately left a group in which that one is or was, until the transaction ends. The service may.
    /// </summary>
    /// <param name="users">Those who are to come in.</param>
    /// <param name="placeOf">Their places in the request.</param>
    public async Task EnsureMayAddAsync(Actor actor, IReadOnlyList<UserId> users, Func<UserId, string> placeOf, CancellationToken ct)
    {
        if (actor.UserId is not { } by || users.Count == 0)
            return;
        var userIds = users.Select(user => user.Value).ToArray();
        await session.ExecuteAsync(AddingSql + ";" + BroughtSql, new { UserId = by.Value, UserIds = userIds }, ct);
        var parameters = new
        {
            UserId = by.Value,
            UserIds = userIds,
            Pairs = users.Select(user => Conversation.DirectKey(by, user, context: null)).ToArray(),
            Asks = policies.DirectMessages is DirectMessages.Requests,
        };
        var standing = (await session.QueryAsync<Acquainted>(AcquaintedSql, parameters, ct)).ToDictionary(one => one.UserId);
        foreach (var user in users)
        {
            var one = standing[user];
            if (one.Blocked)
                throw ContactErrors.Blocked(placeOf(user));
            if (policies.DirectMessages is not DirectMessages.Anyone && !one.Contacts && !one.Talk)
                throw ContactErrors.NotToAdd(placeOf(user));
            if (one.LeftLately && !one.Contacts)
                throw ContactErrors.LeftLately(placeOf(user), user);
        }
    }

    private sealed record Acquainted(UserId UserId, bool Contacts, bool Blocked, bool Talk, bool LeftLately);
}

/// <summary>Whether two people are contacts, and whether one has blocked the other.</summary>
public sealed record Standing(bool Contacts, bool Blocked)
{
    /// <summary>Whether a first message between the two waits for an answer; refuses one that may not be written at all.</summary>
    public bool Asks(DirectMessages policy) => !Contacts && policy switch
    {
        DirectMessages.Contacts => throw ContactErrors.NotAContact(),
        _ => policy is DirectMessages.Requests,
    };
}
