using Dapper;
using Messaging.Application.Messages;
using Messaging.Domain.Common;

namespace Messaging.Application.Saved;

/// <summary>Whether the viewer has saved each message; unknown in views that are not a user's own.</summary>
public sealed class SavedDetail : MessageDetail
{
    // Index: pk_saved_messages, only the viewer's within the range.
    private const string Saved =
        """
        CASE WHEN @UserId::text IS NOT NULL THEN ARRAY(
            SELECT v.seq
            FROM saved_messages v
            WHERE v.conversation_id = @ConversationId AND v.user_id = @UserId AND v.seq > page.after AND v.seq <= page.upto) END AS saved
        """;

    // Index: pk_saved_messages.
    private const string PlacesSql =
        $"""
        SELECT k.conversation_id, k.seq, EXISTS (
            SELECT FROM saved_messages v
            WHERE v.conversation_id = k.conversation_id AND v.user_id = @UserId AND v.seq = k.seq) AS saved
        FROM {MessageReader.Places}
        WHERE @UserId::text IS NOT NULL
        """;

    // Locked in the order of the key, because a user who clears the same conversation locks some of the same rows.
    // Index: ix_saved_messages_seq, pk_saved_messages.
    private const string ForgetSql =
        """
        WITH doomed AS MATERIALIZED (
            SELECT s.conversation_id, s.user_id, s.seq
            FROM unnest($1::uuid[], $2::bigint[]) AS w (conversation_id, seq)
            JOIN saved_messages s ON s.conversation_id = w.conversation_id AND s.seq = w.seq
            ORDER BY s.conversation_id, s.user_id, s.seq
            FOR UPDATE OF s
        )
        DELETE FROM saved_messages s
        USING doomed w
        WHERE s.conversation_id = w.conversation_id AND s.user_id = w.user_id AND s.seq = w.seq
        """;

    // Index: pk_saved_messages.
    private const string PurgeSql = "DELETE FROM saved_messages WHERE conversation_id = $1";

    public override IReadOnlyList<string> Purges { get; } = [PurgeSql];

    internal override string PageColumn => Saved;

    internal override string PlacesStatement => PlacesSql;

    internal override IReadOnlyList<string> Deletions { get; } = [ForgetSql];

    internal override async Task<Filler> ReadAsync(SqlMapper.GridReader grid, DetailRequests requests)
    {
        if (requests.Page is { } page)
        {
            var seqs = page.Column<long[]?>("saved");
            return (MessageRow message, ref MessageDetails details) => details.Saved = seqs?.Contains(message.Seq);
        }
        var saved = (await grid.ReadAsync<Row>()).ToDictionary(row => (row.ConversationId, row.Seq), row => (bool?)row.Saved);
        return (MessageRow message, ref MessageDetails details) =>
            details.Saved = saved.GetValueOrDefault((message.ConversationId, message.Seq));
    }

    private sealed record Row(ConversationId ConversationId, long Seq, bool Saved);
}
