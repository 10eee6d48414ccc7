using System.Data.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Participants;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Contacts;
using Messaging.Domain.Conversations;
using Messaging.Domain.Participants;
using NodaTime;

namespace Messaging.Application.Contacts;

/// <summary>The relationships of users who add others to groups with those others, under locks that keep them unchanged.</summary>
public sealed class AcquaintancePart(PolicySettings policies) : ChangePart
{
    // Shared by users who add people to groups; exclusive for a user who blocks someone or removes a contact. In the order of the keys.
    private const string KeysSql =
        $"SELECT DISTINCT {PairStore.AddingKey} AS key FROM unnest($1::text[], $2::text[]) AS the (adder, added) ORDER BY key";

    private const string LockSql =
        $"""
        SELECT pg_advisory_xact_lock_shared(key)
        FROM ({KeysSql}) AS k
        """;

    private const string TryLockSql =
        $"""
        SELECT pg_try_advisory_xact_lock_shared(key)
        FROM ({KeysSql}) AS k
        """;

    // Locks the users to be added, as their new rows do anyway, before reading whether they have left a group: leaving waits for it, and so
    // does giving a user places in a large inbox. In the order of the ids. Index: pk_users.
    private const string LockBroughtSql =
        """
        SELECT id
        FROM users
        WHERE id = ANY($1::text[])
        ORDER BY id
        FOR KEY SHARE
        """;

    private const string TryLockBroughtSql = $"{LockBroughtSql} SKIP LOCKED";

    // Index: pk_users.
    private const string KnownSql =
        """
        SELECT id
        FROM users
        WHERE id = ANY($1::text[])
        """;

    // Under the locks; the pair is named where the policy lets it count that the two talk.
    // Index: pk_blocks, pk_contacts; pk_direct_keys, the range of each pair; pk_conversations; ix_participants_stays_out, the groups that
    // each has left lately, and pk_participants; of those that were deleted since, ix_departures_stays_out and pk_departures.
    private const string LoadSql =
        $"""
        SELECT k.by_id, k.user_id,
            EXISTS (SELECT FROM contacts WHERE user_id = k.by_id AND contact_id = k.user_id AND status = 'accepted') AS contacts,
            EXISTS (SELECT FROM blocks WHERE user_id = k.by_id AND blocked_id = k.user_id)
                OR EXISTS (SELECT FROM blocks WHERE user_id = k.user_id AND blocked_id = k.by_id) AS blocked,
            k.pair IS NOT NULL AND EXISTS (
                SELECT FROM direct_keys d
                JOIN conversations c ON c.id = d.conversation_id
                WHERE {PairStore.KeysOfPair} AND c.request IS NULL) AS talk,
            gone.until
        FROM unnest($1::text[], $2::text[], $3::text[]) AS k (by_id, user_id, pair)
        LEFT JOIN LATERAL (
            (SELECT p.stays_out_until AS until
            FROM participants p
            JOIN participants mine ON mine.conversation_id = p.conversation_id AND mine.user_id = k.by_id
            WHERE p.user_id = k.user_id AND {LockoutSql.Holds}
            ORDER BY p.stays_out_until DESC
            LIMIT 1)
            UNION ALL
            (SELECT p.stays_out_until
            FROM departures p
            JOIN departures mine ON mine.conversation_id = p.conversation_id AND mine.user_id = k.by_id
            WHERE p.user_id = k.user_id AND {LockoutSql.Holds}
            ORDER BY p.stays_out_until DESC
            LIMIT 1)
            ORDER BY until DESC
            LIMIT 1
        ) gone ON true
        """;

    private readonly HashSet<ConversationId> conversations = [];
    private readonly HashSet<(UserId By, UserId User)> asked = [];
    private readonly HashSet<UserId> brought = [];
    private readonly HashSet<UserId> known = [];
    private readonly Dictionary<(UserId By, UserId User), Acquaintance> acquainted = [];

    internal override ChangeStage Stage => ChangeStage.Admission;

    /// <summary>Requires the relationships of a user with those to be added.</summary>
    public void Require(ConversationId id, Actor actor, IReadOnlyCollection<UserId> users)
    {
        conversations.Add(id);
        brought.UnionWith(users);
        if (actor.UserId is { } by)
            asked.UnionWith(users.Select(user => (by, user)));
    }

    /// <summary>Whether a user is online.</summary>
    public bool IsKnown(UserId user) => known.Contains(user);

    /// <summary>Refuses to add users whom the actor may not add. The service may add everyone.</summary>
    /// <param name="placeOf">Where the request names a user.</param>
    public void EnsureMayAdd(Actor actor, IEnumerable<UserId> users, Instant now, Func<UserId, string> placeOf)
    {
        if (actor.UserId is not { } by)
            return;
        foreach (var user in users)
            acquainted[(by, user)].EnsureMayBeAdded(policies.DirectMessages, now, placeOf(user));
    }

    internal override void Lock(Round round, bool waits, Action<ConversationId> miss)
    {
        var held = new HashSet<UserId>();
        Columns.IfAny(asked, rows =>
        {
            var (adders, added) = (Columns.Of(rows, row => row.By.Value), Columns.Of(rows, row => row.User.Value));
            round.Read(waits ? LockSql : TryLockSql, reader => MissUnless(waits || reader.GetBoolean(0)), adders, added);
        });
        Columns.IfAny(Columns.Of(brought, user => user.Value), users =>
        {
            round.Read(waits ? LockBroughtSql : TryLockBroughtSql, reader => held.Add(new(reader.GetString(0))), users);
            round.Read(
                KnownSql,
                reader =>
                {
                    var user = new UserId(reader.GetString(0));
                    known.Add(user);
                    MissUnless(held.Contains(user));
                },
                users);
        });

        void MissUnless(bool isHeld)
        {
            if (!isHeld)
                conversations.ToList().ForEach(miss);
        }
    }

    internal override void Load(Round round) => Columns.IfAny(asked, rows => round.Read(
        LoadSql, Read, Columns.Of(rows, row => row.By.Value), Columns.Of(rows, row => row.User.Value), Columns.Of(rows, row =>
            policies.DirectMessages is DirectMessages.Requests ? NewConversation.DirectKey(row.By, row.User, context: null) : null)));

    private void Read(DbDataReader reader) => acquainted[(new(reader.GetString(0)), new(reader.GetString(1)))] = new(
        new(reader.GetString(1)), Contacts: reader.GetBoolean(2), Blocked: reader.GetBoolean(3), Talk: reader.GetBoolean(4),
        Lockout: reader.IsDBNull(5) ? null : new Lockout(Instant.FromDateTimeUtc(reader.GetDateTime(5))));
}

public static class AcquaintancesOfChangeSet
{
    extension(ChangeSet set)
    {
        public AcquaintancePart Acquaintances => set.Part<AcquaintancePart>();
    }
}
