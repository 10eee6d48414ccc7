using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;

namespace Messaging.Application.Presence;

/// <summary>Who may type in a conversation and who hears of it; null where there is no such conversation. The caller asks it who may see it.</summary>
public sealed record GetMembers(ConversationId ConversationId) : IQuery<Members?>;

/// <summary>Those who take part in a conversation, and whether anything can be sent there.</summary>
/// <param name="Requested">While one of two has not been asked yet, or has not answered: neither hears of the other.</param>
/// <param name="Pending">Those who have not accepted it: they see it, and hear nothing of it.</param>
public sealed record Members(bool Closed, bool Archived, bool Blocked, bool Requested, string[] UserIds, string[] Pending)
{
    private readonly HashSet<string> userIds = [.. UserIds];

    public bool Has(string userId) => userIds.Contains(userId);

    /// <summary>Whether somebody is told what others do here right now, and others of them.</summary>
    public bool Hears(string userId) => Has(userId) && !Blocked && !Requested;

    /// <summary>Whether the actor can see the conversation.</summary>
    public bool IsVisibleTo(Actor actor) => actor.UserId is not { Value: var id } || Has(id) || Pending.Contains(id);

    /// <summary>Refuses somebody who can see the conversation to type where they can send nothing.</summary>
    public void EnsureTakesTyping(UserId userId)
    {
        if (Archived)
            throw ConversationErrors.Archived();
        if (Closed)
            throw ConversationErrors.Closed();
        if (Blocked)
            throw ConversationErrors.Blocked();
        if (!Has(userId.Value))
            throw ConversationErrors.RequestPending();
    }
}

public sealed class GetMembersHandler(DbSession session) : IRequestHandler<GetMembers, Members?>
{
    // pk_conversations, pk_participants.
    private const string MembersSql =
        """
        SELECT
            c.closed_at IS NOT NULL AS closed, c.archived_at IS NOT NULL AS archived, c.blocked, c.request IS NOT NULL AS requested,
            coalesce(array_agg(p.user_id) FILTER (WHERE NOT p.pending), '{}') AS user_ids,
            coalesce(array_agg(p.user_id) FILTER (WHERE p.pending), '{}') AS pending
        FROM conversations c
        LEFT JOIN participants p ON p.conversation_id = c.id AND p.left_at IS NULL
        WHERE c.id = @ConversationId
        GROUP BY c.id
        """;

    public Task<Members?> Handle(GetMembers query, CancellationToken ct) =>
        session.QuerySingleOrDefaultAsync<Members>(MembersSql, new { ConversationId = query.ConversationId.Value }, ct);
}
