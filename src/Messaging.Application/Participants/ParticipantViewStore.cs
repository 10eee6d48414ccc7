using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Domain.Common;
using Messaging.Domain.Participants;
using NodaTime;

namespace Messaging.Application.Participants;

/// <summary>Reads participants as all participants see them.</summary>
public sealed class ParticipantViewStore(DbSession session, PolicySettings policies)
{
    /// <summary>
    /// Whether the policy of <c>c</c> turns receipts on; <c>@Receipts</c> is the configured default.
    /// </summary>
    public const string ReceiptsAreOn = "coalesce((c.policy ->> 'receipts')::boolean, @Receipts)";

    /// <summary>
    /// Whether others see how far <c>p</c> has read in <c>c</c>: neither the user nor the policy hides it.
    /// </summary>
    public const string ShowsReceipts = $"(p.show_read_receipts AND {ReceiptsAreOn})";

    /// <summary>
    /// The read pointer of <c>p</c> in <c>c</c> that <c>@UserId</c> sees: between two separated users, the one at their separation; for the
    /// user's own, the current one.
    /// </summary>
    public const string ShownRead =
        $"""
        CASE WHEN NOT {ReceiptsAreOn} THEN NULL
            WHEN {ConversationStore.Parted} AND p.user_id IS DISTINCT FROM @UserId THEN p.shown_read_seq
            WHEN p.show_read_receipts THEN p.last_read_seq END
        """;

    /// <summary>The delivered pointer, in the same way.</summary>
    public const string ShownDelivered =
        $"""
        CASE WHEN NOT {ReceiptsAreOn} THEN NULL
            WHEN {ConversationStore.Parted} AND p.user_id IS DISTINCT FROM @UserId THEN p.shown_delivered_seq
            ELSE p.last_delivered_seq END
        """;

    /// <summary>The columns of <see cref="ParticipantView"/>, of a participant <c>p</c> in <c>c</c> who is the user <c>u</c>.</summary>
    public const string Columns =
        $"""
        p.user_id, u.display_name, u.avatar_url, p.role, p.joined_at,
        {ShownRead} AS last_read_seq, {ShownDelivered} AS last_delivered_seq
        """;

    // Index: pk_participants, pk_users.
    private const string SomeSql =
        $"""
        SELECT {Columns}
        FROM participants p
        JOIN conversations c ON c.id = @ConversationId
        JOIN users u ON u.id = p.user_id
        WHERE p.conversation_id = @ConversationId AND p.user_id = ANY(@UserIds)
        ORDER BY p.user_id
        """;

    /// <summary>Those of the given users who are or were participants, as all others see them.</summary>
    public async Task<IReadOnlyList<ParticipantView>> ListAsync(ConversationId id, IEnumerable<UserId> users, CancellationToken ct) =>
        await session.QueryAsync<ParticipantView>(
            SomeSql,
            new
            {
                ConversationId = id.Value,
                UserIds = users.Select(user => user.Value).ToArray(),
                policies.Receipts,
                UserId = (string?)null,
            },
            ct);
}

/// <summary>A participant, as all participants see it.</summary>
/// <param name="LastReadSeq">Null for participants who hide their receipts, and where the policy turns receipts off.</param>
/// <param name="LastDeliveredSeq">Null if the policy turns receipts off.</param>
public sealed record ParticipantView(
    UserId UserId,
    string? DisplayName,
    string? AvatarUrl,
    ParticipantRole Role,
    Instant JoinedAt,
    long? LastReadSeq,
    long? LastDeliveredSeq);
