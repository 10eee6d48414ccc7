using Messaging.Application.Common;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Messages;

/// <summary>A message that is pinned for everybody.</summary>
/// <param name="PinnedBy">Null for the service.</param>
public sealed record PinView(MessageView Message, UserId? PinnedBy, Instant PinnedAt);

/// <summary>What <c>message:pinned</c> tells.</summary>
/// <param name="By">Null for the service.</param>
public sealed record PinTold(MessageId MessageId, bool Pinned, UserId? By);

/// <summary>The pinned messages of a conversation: few, whatever its length.</summary>
public sealed class PinStore(DbSession session, MessageListStore messages)
{
    // Index: pk_pins, those of the conversation, put in order here; pk_participants; pk_message_hidden.
    private const string ListSql =
        """
        SELECT i.conversation_id, i.seq, i.sent_at AS created_at, i.pinned_by, i.pinned_at
        FROM pins i
        LEFT JOIN participants v ON v.conversation_id = @ConversationId AND v.user_id = @UserId AND v.left_at IS NULL
        WHERE i.conversation_id = @ConversationId AND (i.pinned_at, i.seq) < (@BeforeTime, @BeforeSeq)
            AND (@UserId::text IS NULL OR (i.seq > v.cleared_seq AND NOT EXISTS (
                SELECT FROM message_hidden h
                WHERE h.conversation_id = @ConversationId AND h.user_id = @UserId AND h.seq = i.seq)))
        ORDER BY i.pinned_at DESC, i.seq DESC
        LIMIT @Take
        """;

    public static readonly Instant EndOfTime = Instant.FromUtc(9999, 1, 1, 0, 0);

    public Task<List<Row>> ListAsync(
        ConversationId id, Actor viewer, Instant beforeTime, long beforeSeq, int take, CancellationToken ct) => session.QueryAsync<Row>(
        ListSql,
        new
        {
            ConversationId = id.Value,
            UserId = viewer.UserId?.Value,
            BeforeTime = beforeTime,
            BeforeSeq = beforeSeq,
            Take = take,
        },
        ct);

    public async Task<IReadOnlyList<PinView>> ViewAsync(IReadOnlyList<Row> rows, Actor viewer, CancellationToken ct)
    {
        var views = (await messages.ListAsync([.. rows.Select(row => row.ToPlace())], viewer, ct)).ToDictionary(view => view.Seq);
        return [.. rows.Where(row => views.ContainsKey(row.Seq)).Select(row => new PinView(views[row.Seq], row.PinnedBy, row.PinnedAt))];
    }

    /// <summary>A pin, and where its message stands.</summary>
    public sealed record Row(ConversationId ConversationId, long Seq, Instant CreatedAt, UserId? PinnedBy, Instant PinnedAt)
    {
        public MessagePlace ToPlace() => new(ConversationId, Seq, CreatedAt);
    }
}
