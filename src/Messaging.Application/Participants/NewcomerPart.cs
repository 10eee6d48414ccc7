using Messaging.Application.Contacts;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Participants;
using NodaTime;

namespace Messaging.Application.Participants;

/// <summary>How those stand who are to be let into groups.</summary>
public sealed class NewcomerPart(AcquaintancePart acquaintances) : ChangePart
{
    // Under the conversations' locks, so that nobody comes, goes or is kept out meanwhile. Index: pk_participants, pk_bans.
    private const string LoadSql =
        """
        SELECT k.conversation_id, k.user_id, p.user_id IS NOT NULL AND p.left_at IS NULL AS takes_part, b.user_id IS NOT NULL AS is_banned,
            p.stays_out_until, p.user_id IS NOT NULL AS was_in_before, p.cleared_seq
        FROM unnest($1::uuid[], $2::text[]) AS k (conversation_id, user_id)
        LEFT JOIN participants p ON p.conversation_id = k.conversation_id AND p.user_id = k.user_id
        LEFT JOIN bans b ON b.conversation_id = k.conversation_id AND b.user_id = k.user_id
        """;

    private readonly HashSet<(ConversationId Id, UserId User)> asked = [];
    private readonly Dictionary<(ConversationId Id, UserId User), Newcomer> newcomers = [];

    internal override ChangeStage Stage => ChangeStage.Admission;

    public void Require(ConversationId id, IEnumerable<UserId> users) => asked.UnionWith(users.Select(user => (id, user)));

    public Newcomer Of(ConversationId id, UserId user) => newcomers[(id, user)];

    internal override void Load(Round round) => Columns.IfAny(asked, rows =>
    {
        var (ids, users) = Columns.Split(rows);
        round.Read(
            LoadSql,
            reader =>
            {
                var (id, user) = (new ConversationId(reader.GetGuid(0)), new UserId(reader.GetString(1)));
                newcomers[(id, user)] = new Newcomer(
                    user, acquaintances.IsKnown(user), TakesPart: reader.GetBoolean(2), IsBanned: reader.GetBoolean(3),
                    Lockout: reader.IsDBNull(4) ? null : new Lockout(Instant.FromDateTimeUtc(reader.GetDateTime(4))),
                    WasInBefore: reader.GetBoolean(5), ClearedSeq: reader.IsDBNull(6) ? 0 : reader.GetInt64(6));
            },
            ids, users);
    });
}

public static class NewcomersOfChangeSet
{
    extension(ChangeSet set)
    {
        public NewcomerPart Newcomers => set.Part<NewcomerPart>();
    }
}
