using Messaging.Application.Common;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Messages;

/// <summary>A message pinned for everyone.</summary>
/// <param name="PinnedBy">Null for the service.</param>
public sealed record PinView(MessageView Message, UserId? PinnedBy, Instant PinnedAt);

/// <summary>What <c>message:pinned</c> tells.</summary>
/// <param name="By">Null for the service.</param>
public sealed record PinValues(MessageId MessageId, bool Pinned, UserId? By);

/// <summary>The pinned messages of a conversation: few, whatever its length.</summary>
public sealed class PinStore(DbSession session, MessageReader messages)
{
    // A pin stands for its message. Index: pk_pins, those of the conversation, put in order here; pk_participants; pk_message_hidden.
    private const string ListSql =
        $"""
        SELECT m.conversation_id, m.seq, m.sent_at AS created_at, m.pinned_by, m.pinned_at
        FROM pins m
        LEFT JOIN participants p ON p.conversation_id = @ConversationId AND p.user_id = @UserId AND {VisibilitySql.TakesPart}
        WHERE m.conversation_id = @ConversationId AND (m.pinned_at, m.seq) < (@BeforeTime, @BeforeSeq)
            AND (@UserId::text IS NULL OR ({VisibilitySql.Seen}))
        ORDER BY m.pinned_at DESC, m.seq DESC
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
        public MessageKey ToPlace() => new(ConversationId, Seq, CreatedAt);
    }
}
