using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Domain.Common;
using Messaging.Domain.Contacts;

namespace Messaging.Application.Contacts;

/// <summary>What stands between two people, and the lock under which it changes. Taken before the lock of any conversation.</summary>
public sealed class PairStore(DbSession session)
{
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

    // Index: pk_blocks.
    private const string BlockersSql =
        """
        SELECT user_id
        FROM blocks
        WHERE user_id = ANY(@UserIds) AND blocked_id = @Actor
        """;

    /// <summary>What stands between the two, until the transaction ends.</summary>
    public async Task<Standing> LockAsync(UserId one, UserId other, CancellationToken ct)
    {
        var pair = new { One = one.Value, Other = other.Value };
        await session.ExecuteAsync(LockSql, pair, ct);
        return await session.QuerySingleAsync<Standing>(StandingSql, pair, ct);
    }

    /// <summary>Refuses to let people into a group who have blocked the one who does; the service may.</summary>
    public async Task EnsureMayAddAsync(Actor actor, IReadOnlyList<UserId> users, Func<int, string> pointerOf, CancellationToken ct)
    {
        if (actor.UserId is not { } by)
            return;
        var blockers = await session.QueryAsync<UserId>(
            BlockersSql, new { UserIds = users.Select(user => user.Value).ToArray(), Actor = by.Value }, ct);
        if (blockers.Count > 0)
            throw ContactErrors.Blocked(pointerOf(users.Select((user, i) => (user, i)).First(u => blockers.Contains(u.user)).i));
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
