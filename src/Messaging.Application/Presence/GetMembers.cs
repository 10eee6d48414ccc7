using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Participants;
using NodaTime;

namespace Messaging.Application.Presence;

/// <summary>
/// Who may type in a conversation and who hears of it; null where there is no such conversation. The caller asks it who may see it.
/// </summary>
public sealed record GetMembers(ConversationId ConversationId) : IQuery<Members?>;

/// <summary>A conversation, and those who take part in it.</summary>
/// <param name="administrators">Owner and admins.</param>
/// <param name="pending">Those who have not accepted it: they see it, and hear nothing of it.</param>
/// <param name="blocked">Two ids with a blank between them for each who has blocked another: neither hears of the other.</param>
public sealed class Members(Conversation conversation, string[] userIds, string[] administrators, string[] pending, string[] blocked)
{
    private readonly HashSet<string> present = [.. userIds];
    private readonly HashSet<string> blocks = [.. blocked];

    public IReadOnlyList<string> UserIds { get; } = userIds;

    public bool Has(string userId) => present.Contains(userId);

    /// <summary>Whether somebody is told what others do here right now, and others of them.</summary>
    public bool Hears(string userId) => Has(userId) && conversation.TellsTyping;

    /// <summary>Whether others are shown that somebody writes: not who may not.</summary>
    public bool ShowsTypingOf(string userId) => Has(userId) && conversation.ShowsTyping(PartOf(userId));

    /// <summary>Whether somebody is told what that other one does: not where one of the two has blocked the other.</summary>
    public bool Hears(string userId, string other) =>
        Hears(userId) && (blocks.Count == 0 || !(blocks.Contains($"{userId} {other}") || blocks.Contains($"{other} {userId}")));

    /// <summary>Whether the actor can see the conversation.</summary>
    public bool IsVisibleTo(Actor actor) => actor.UserId is not { Value: var id } || Has(id) || pending.Contains(id);

    /// <summary>Refuses somebody who can see the conversation to type where they can send nothing.</summary>
    public void EnsureMayType(UserId userId)
    {
        conversation.EnsureMayPost(PartOf(userId.Value));
        if (!Has(userId.Value))
            throw ConversationErrors.RequestPending();
    }

    private Participant PartOf(string userId) => new(
        conversation.Id, new UserId(userId), administrators.Contains(userId) ? ParticipantRole.Admin : ParticipantRole.Member,
        joinedAt: default, joinedSeq: 0);
}

public sealed class GetMembersHandler(DbSession session, PolicySettings policies) : IRequestHandler<GetMembers, Members?>
{
    // Index: pk_conversations, pk_participants, pk_blocks for each of them.
    private const string MembersSql =
        $$"""
        SELECT {{ConversationStore.StateColumns}},
            coalesce(array_agg(p.user_id) FILTER (WHERE NOT p.pending), '{}') AS user_ids,
            coalesce(array_agg(p.user_id) FILTER (WHERE p.role <> 'member'), '{}') AS administrators,
            coalesce(array_agg(p.user_id) FILTER (WHERE p.pending), '{}') AS pending,
            ARRAY(
                SELECT b.user_id || ' ' || b.blocked_id
                FROM participants one
                JOIN blocks b ON b.user_id = one.user_id
                JOIN participants other ON other.conversation_id = @ConversationId AND other.user_id = b.blocked_id
                    AND other.left_at IS NULL
                WHERE one.conversation_id = @ConversationId AND one.left_at IS NULL) AS blocks
        FROM conversations c
        LEFT JOIN participants p ON p.conversation_id = c.id AND p.left_at IS NULL
        WHERE c.id = @ConversationId
        GROUP BY c.id
        """;

    public async Task<Members?> Handle(GetMembers query, CancellationToken ct)
    {
        var row = await session.QuerySingleOrDefaultAsync<Row>(MembersSql, new { ConversationId = query.ConversationId.Value }, ct);
        return row is null
            ? null
            : new Members(
                new Conversation(query.ConversationId, row.ToState(policies)), row.UserIds, row.Administrators, row.Pending, row.Blocks);
    }

    private sealed record Row(
        ConversationType Type, UserId? OwnerId, int ParticipantCount, long LastSeq, long Version, bool Closed, bool Archived, bool Blocked,
        RequestState? Request, JsonText? Policy, long EventNo, Instant LastEventAt, DateOnly? LastActivityDay, string[] UserIds,
        string[] Administrators, string[] Pending, string[] Blocks)
        : ConversationStore.StateRow(
            Type, OwnerId, ParticipantCount, LastSeq, Version, Closed, Archived, Blocked, Request, Policy, EventNo, LastEventAt,
            LastActivityDay);
}
