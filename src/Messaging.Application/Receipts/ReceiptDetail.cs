using Dapper;
using Messaging.Application.Conversations;
using Messaging.Application.Messages;
using Messaging.Application.Participants;
using Messaging.Domain.Common;

namespace Messaging.Application.Receipts;

/// <summary>To how many messages go, and how many have received and read them.</summary>
public sealed class ReceiptDetail : MessageDetail
{
    private const string Columns =
        $"""
        p.conversation_id, p.user_id, p.joined_seq, {ParticipantViewStore.ShownRead} AS last_read_seq,
            {ParticipantViewStore.ShownDelivered} AS last_delivered_seq
        """;

    // Index: pk_participants, those of the one conversation: at most the group's size, never its history.
    private const string PageSql =
        $"""
        SELECT {Columns}, CASE WHEN p.user_id = @UserId AND NOT p.pending THEN p.last_delivered_seq END AS own_delivered_seq
        FROM participants p
        JOIN conversations c ON c.id = @ConversationId
        WHERE p.conversation_id = @ConversationId AND p.left_at IS NULL AND {ConversationStore.Visible}
        """;

    // Index: pk_participants, those of each conversation once.
    private const string PlacesSql =
        $"""
        SELECT {Columns}, NULL::bigint AS own_delivered_seq
        FROM participants p
        JOIN conversations c ON c.id = p.conversation_id
        WHERE p.conversation_id = ANY(@ReceiptsIn::uuid[]) AND p.left_at IS NULL
        """;

    // Index: pk_read_marks.
    private const string PurgeReadSql = "DELETE FROM read_marks WHERE conversation_id = $1";

    // Index: pk_delivered_marks.
    private const string PurgeDeliveredSql = "DELETE FROM delivered_marks WHERE conversation_id = $1";

    public override IReadOnlyList<string> Purges { get; } = [PurgeReadSql, PurgeDeliveredSql];

    internal override string PageStatement => PageSql;

    internal override string PlacesStatement => PlacesSql;

    internal override bool CountsPeople => true;

    internal override async Task<Filler> ReadAsync(SqlMapper.GridReader grid, DetailRequests asked)
    {
        var pointers = (await grid.ReadAsync<Row>()).ToArray();
        if (asked.Page is { } page)
        {
            if (asked.Receives)
                asked.Received = Receive(page, pointers);
            return (MessageRow message, ref MessageDetails details) => Count(message, pointers, ref details);
        }
        var ofConversations = pointers.GroupBy(row => row.ConversationId).ToDictionary(group => group.Key, group => group.ToArray());
        return (MessageRow message, ref MessageDetails details) =>
            Count(message, ofConversations.GetValueOrDefault(message.ConversationId, []), ref details);
    }

    // What was fetched was received: it is told as such.
    private static long? Receive(PageRange page, Row[] pointers)
    {
        var own = Array.FindIndex(pointers, pointer => pointer.OwnDeliveredSeq < page.Upto);
        if (own < 0 || page.Upto <= page.After)
            return null;
        if (pointers[own].LastDeliveredSeq is not null)
            pointers[own] = pointers[own] with { LastDeliveredSeq = page.Upto };
        return page.Upto;
    }

    private static void Count(MessageRow message, Row[] pointers, ref MessageDetails details)
    {
        foreach (var pointer in pointers)
        {
            if (pointer.JoinedSeq >= message.Seq || pointer.UserId == message.SenderId)
                continue;
            details.RecipientCount++;
            details.DeliveredCount += pointer.LastDeliveredSeq >= message.Seq ? 1 : 0;
            details.ReadCount += pointer.LastReadSeq >= message.Seq ? 1 : 0;
        }
    }

    // What is not told is null: how far somebody has read who hides it, and all of it where the policy says so.
    private sealed record Row(
        ConversationId ConversationId, UserId UserId, long JoinedSeq, long? LastReadSeq, long? LastDeliveredSeq, long? OwnDeliveredSeq);
}
