using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Participants;

namespace Messaging.Application.Participants;

/// <summary>All who take part in conversations, and how far each has come.</summary>
public sealed class MemberPart : ChangePart
{
    // Under the conversations' locks, so that nobody comes or goes; pointers may move. Index: pk_participants, those of the conversations.
    private const string LoadSql =
        """
        SELECT conversation_id, user_id, cleared_seq, last_read_seq, pending
        FROM participants
        WHERE conversation_id = ANY($1::uuid[]) AND left_at IS NULL
        """;

    private readonly Dictionary<ConversationId, Dictionary<UserId, Member>> members = [];

    /// <summary>Asks for all who take part.</summary>
    public void Ask(ConversationId id) => members.TryAdd(id, []);

    public IReadOnlyCollection<Member> Of(ConversationId id) => members[id].Values;

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
        if (members.Count == 0)
            return;
        round.Read(
            LoadSql,
            reader =>
            {
                var user = new UserId(reader.GetString(1));
                members[new(reader.GetGuid(0))][user] = new Member(user, reader.GetInt64(2), reader.GetInt64(3), reader.GetBoolean(4));
            },
            Columns.Of(members.Keys, id => id.Value));
    }
}
