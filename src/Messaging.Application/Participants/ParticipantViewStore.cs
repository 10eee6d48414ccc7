using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Domain.Common;
using Messaging.Domain.Participants;
using NodaTime;

namespace Messaging.Application.Participants;

/// <summary>Reads people of a conversation as every participant sees them.</summary>
public sealed class ParticipantViewStore(DbSession session, PolicySettings policies)
{
    /// <summary>
    /// Whether the policy of <c>c</c> lets others learn who has received and read what; <c>@Receipts</c> is what is configured.
    /// </summary>
    public const string ReceiptsAreOn = "coalesce((c.policy ->> 'receipts')::boolean, @Receipts)";

    /// <summary>
    /// Whether others learn how far <c>p</c> has read in <c>c</c>: not where that one hides it, nor where the policy does.
    /// </summary>
    public const string ShowsReceipts = $"(p.show_read_receipts AND {ReceiptsAreOn})";

    /// <summary>
    /// How far others are told that <c>p</c> has read in <c>c</c>: between two who are parted, what was so when they parted; oneself,
    /// <c>@UserId</c>, the truth.
    /// </summary>
    public const string ReadTold =
        $"""
        CASE WHEN NOT {ReceiptsAreOn} THEN NULL
            WHEN {ConversationStore.Parted} AND p.user_id IS DISTINCT FROM @UserId THEN p.shown_read_seq
            WHEN p.show_read_receipts THEN p.last_read_seq END
        """;

    /// <summary>The same of what <c>p</c> has received.</summary>
    public const string DeliveredTold =
        $"""
        CASE WHEN NOT {ReceiptsAreOn} THEN NULL
            WHEN {ConversationStore.Parted} AND p.user_id IS DISTINCT FROM @UserId THEN p.shown_delivered_seq
            ELSE p.last_delivered_seq END
        """;

    /// <summary>The columns of <see cref="ParticipantView"/>, of a participant <c>p</c> in <c>c</c> who is the user <c>u</c>.</summary>
    public const string Columns =
        $"""
        p.user_id, u.display_name, u.avatar_url, p.role, p.joined_at,
        {ReadTold} AS last_read_seq, {DeliveredTold} AS last_delivered_seq
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

    /// <summary>Those of the given users who take part, as all others see them; who took part a moment ago, as that one left.</summary>
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
