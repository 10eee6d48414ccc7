using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Contacts;

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
    private const string StopAddingSql =
        """
        SELECT pg_advisory_xact_lock(hashtextextended('messaging:adding:' || u.id, 0))
        FROM unnest(@UserIds::text[]) AS u (id)
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

    /// <summary>Refuses, until the transaction ends, people whom somebody may not let into a group.</summary>
    /// <param name="users">Those who are to come in.</param>
    /// <param name="placeOf">Their places in the request.</param>
    public async Task EnsureMayAddAsync(
        Actor actor, ConversationId id, IReadOnlyList<UserId> users, Func<UserId, string> placeOf, CancellationToken ct)
    {
        var acquainted = new AcquaintancePart(policies);
        acquainted.Ask(id, actor, users);
        await session.UseTransactionAsync(async (connection, transaction) =>
        {
            await using var round = new Round(connection, transaction);
            acquainted.Lock(round, waits: true, _ => { });
            acquainted.Load(round);
            if (!round.IsEmpty)
                await round.RunAsync(ct);
        });
        acquainted.EnsureMayAdd(actor, users, placeOf);
    }
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
