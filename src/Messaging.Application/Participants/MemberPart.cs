using System.Data.Common;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Participants;

namespace Messaging.Application.Participants;

/// <summary>All who take part in conversations, and how far each has come.</summary>
public sealed class MemberPart(MembershipPart places) : ChangePart
{
    // Under the conversations' locks, so that nobody comes or goes; pointers may move. Index: pk_participants, those of the conversations.
    private const string LoadSql =
        """
        SELECT conversation_id, user_id, cleared_seq, last_read_seq, pending
        FROM participants
        WHERE conversation_id = ANY($1::uuid[]) AND left_at IS NULL
        """;

    // The same of some. Index: pk_participants.
    private const string LoadSomeSql =
        """
        SELECT p.conversation_id, p.user_id, p.cleared_seq, p.last_read_seq, p.pending
        FROM unnest($1::uuid[], $2::text[]) AS k (conversation_id, user_id)
        JOIN participants p ON p.conversation_id = k.conversation_id AND p.user_id = k.user_id AND p.left_at IS NULL
        """;

    private readonly HashSet<ConversationId> asked = [];
    private readonly HashSet<(ConversationId Id, UserId User)> someAsked = [];
    private readonly Dictionary<ConversationId, Dictionary<UserId, Member>> members = [];

    /// <summary>Asks for all who take part.</summary>
    public void Require(ConversationId id) => asked.Add(id);

    /// <summary>Asks for one who takes part.</summary>
    public void Require(ConversationId id, UserId user) => someAsked.Add((id, user));

    /// <summary>All who take part, as the changes before have left them.</summary>
    public IEnumerable<Member> Of(ConversationId id) =>
        members.GetValueOrDefault(id, []).Values.Where(member => !places.IsGone(id, member.UserId));

    /// <summary>Of one who takes part.</summary>
    public Member Of(ConversationId id, UserId user) => members[id][user];

    /// <summary>Of one of them something else is so, by a change before.</summary>
    internal void Change(ConversationId id, UserId user, Func<Member, Member> change)
    {
        if (members.GetValueOrDefault(id)?.GetValueOrDefault(user) is { } member)
            members[id][user] = change(member);
    }

    internal override void Load(Round round)
    {
        Columns.IfAny(asked, ids => round.Read(LoadSql, Read, Columns.Of(ids, id => id.Value)));
        Columns.IfAny(someAsked, some =>
        {
            var (ids, users) = Columns.Split(some);
            round.Read(LoadSomeSql, Read, ids, users);
        });
    }

    private void Read(DbDataReader reader)
    {
        var (id, user) = (new ConversationId(reader.GetGuid(0)), new UserId(reader.GetString(1)));
        if (!members.TryGetValue(id, out var present))
            members[id] = present = [];
        present[user] = new Member(user, reader.GetInt64(2), reader.GetInt64(3), reader.GetBoolean(4));
    }
}
