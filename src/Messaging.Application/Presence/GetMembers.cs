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
/// <param name="Blocks">Two ids with a blank between them for each who has blocked another: neither hears of the other.</param>
public sealed record Members(bool Closed, bool Archived, bool Blocked, bool Requested, string[] UserIds, string[] Pending, string[] Blocks)
{
    private readonly HashSet<string> userIds = [.. UserIds];
    private readonly HashSet<string> blocks = [.. Blocks];

    public bool Has(string userId) => userIds.Contains(userId);

    /// <summary>Whether somebody is told what others do here right now, and others of them.</summary>
    public bool Hears(string userId) => Has(userId) && !Blocked && !Requested;

    /// <summary>Whether somebody is told what that other one does, of whom anybody is.</summary>
    public bool Hears(string userId, string other) =>
        Hears(userId) && (blocks.Count == 0 || !(blocks.Contains($"{userId} {other}") || blocks.Contains($"{other} {userId}")));

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
    // Index: pk_conversations, pk_participants, pk_blocks for each of them.
    private const string MembersSql =
        """
        SELECT
            c.closed_at IS NOT NULL AS closed, c.archived_at IS NOT NULL AS archived, c.blocked, c.request IS NOT NULL AS requested,
            coalesce(array_agg(p.user_id) FILTER (WHERE NOT p.pending), '{}') AS user_ids,
            coalesce(array_agg(p.user_id) FILTER (WHERE p.pending), '{}') AS pending,
            ARRAY(
                SELECT b.user_id || ' ' || b.blocked_id
                FROM participants one
                JOIN blocks b ON b.user_id = one.user_id
                JOIN participants other ON other.conversation_id = @ConversationId AND other.user_id = b.blocked_id AND other.left_at IS NULL
                WHERE one.conversation_id = @ConversationId AND one.left_at IS NULL) AS blocks
        FROM conversations c
        LEFT JOIN participants p ON p.conversation_id = c.id AND p.left_at IS NULL
        WHERE c.id = @ConversationId
        GROUP BY c.id
        """;

    public Task<Members?> Handle(GetMembers query, CancellationToken ct) =>
        session.QuerySingleOrDefaultAsync<Members>(MembersSql, new { ConversationId = query.ConversationId.Value }, ct);
}
