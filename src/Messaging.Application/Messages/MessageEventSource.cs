using Messaging.Application.Attachments;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Events;
using Messaging.Application.Participants;
using Messaging.Domain.Common;
using Messaging.Domain.Messages;
using Messaging.Domain.Reactions;
using NodaTime;

namespace Messaging.Application.Messages;

/// <summary>What an event of a message keeps of the moment; all else is the message's of when it is told.</summary>
public sealed record MessageValues
{
    /// <summary>Where the message stands; null in <c>message:new</c>, whose own time that is.</summary>
    public Instant? CreatedAt { get; init; }

    /// <summary>To how many a new message goes.</summary>
    public int RecipientCount { get; init; }

    /// <summary>Of what one deletes for oneself alone.</summary>
    public DeletedView? Deleted { get; init; }

    public static MessageValues Of(StoredMessage message) => new() { CreatedAt = message.CreatedAt };
}

/// <summary>Messages as all who hear of them may see them.</summary>
public sealed class MessageEventSource(PolicySettings policies, FileUrls urls) : IEventSource
{
    // What stands around a message. Index: pk_conversations, pk_pins, pk_message_originals, pk_participants, pk_message_hidden.
    private const string AroundSql =
        $"""
        SELECT k.conversation_id, k.seq, c.policy,
            EXISTS (SELECT FROM pins i WHERE i.conversation_id = k.conversation_id AND i.seq = k.seq) AS pinned,
            (SELECT o.mentions FROM message_originals o WHERE o.conversation_id = k.conversation_id AND o.seq = k.seq) AS mentions,
            coalesce((
                SELECT v.cleared_seq
                FROM participants v
                WHERE v.conversation_id = k.conversation_id AND v.user_id = @Reader), 0) AS cleared_seq,
            (
                SELECT h.hidden_at
                FROM message_hidden h
                WHERE h.conversation_id = k.conversation_id AND h.user_id = @Reader AND h.seq = k.seq) AS hidden_at
        FROM {MessageListStore.Places}
        JOIN conversations c ON c.id = k.conversation_id
        """;

    // Read with the message: how far people have come moves without the conversation's lock, and what was told of it before must not be told
    // as it was earlier. Index: pk_participants, those of the conversations.
    private const string PointersSql =
        $"""
        SELECT p.conversation_id, p.user_id, p.joined_seq, {ParticipantViewStore.ReadTold} AS last_read_seq,
            {ParticipantViewStore.DeliveredTold} AS last_delivered_seq
        FROM participants p
        JOIN conversations c ON c.id = p.conversation_id
        WHERE p.conversation_id = ANY(@CountedConversations) AND p.left_at IS NULL
        """;

    public IReadOnlyCollection<string> Types { get; } = [MessageEvents.New, MessageEdited.Name, MessageDeleted.Name];

    public Reading<Func<FeedRow, object?>> Read(IReadOnlyList<FeedRow> rows, UserId? reader)
    {
        var places = rows.Select(PlaceOf).Distinct().ToList();
        var counted = rows.Where(row => row.Type != MessageEvents.New).Select(row => row.ConversationId!.Value).Distinct().ToArray();
        return new(
            MessageListStore.MessagesSql + ";" + MessageListStore.AttachmentsSql + ";" + MessageListStore.ReactionsSql + ";" + AroundSql
                + (counted.Length > 0 ? ";" + PointersSql : ""),
            new
            {
                ConversationIds = places.Select(place => place.ConversationId.Value).ToArray(),
                Seqs = places.Select(place => place.Seq).ToArray(),
                Times = places.Select(place => place.CreatedAt.ToDateTimeUtc()).ToArray(),
                UserId = (string?)null,
                Reader = reader?.Value,
                policies.Receipts,
                CountedConversations = counted,
            },
            async grid =>
            {
                var messages = (await grid.ReadAsync<MessageViewStore.Row>()).ToDictionary(row => (row.ConversationId, row.Seq));
                var attachments = (await grid.ReadAsync<AttachmentRow>()).ToLookup(row => (row.ConversationId, row.Seq!.Value));
                var reactions = (await grid.ReadAsync<MessageListStore.ReactionRow>())
                    .ToLookup(row => (row.ConversationId, row.Seq), row => row.ToView());
                var around = (await grid.ReadAsync<Around>()).ToDictionary(row => (row.ConversationId, row.Seq));
                var pointers = (counted.Length > 0 ? await grid.ReadAsync<PointerRow>() : [])
                    .ToLookup(row => row.ConversationId, row => row.ToPointer());
                return row =>
                {
                    var key = (new ConversationId(row.ConversationId!.Value), row.Seq!.Value);
                    if (!messages.TryGetValue(key, out var message) || !around.TryGetValue(key, out var its))
                        return null;
                    var view = message.ToView(
                        [.. attachments[key].Select(file => file.ToView(urls, UrlAudience.Everybody))], [.. reactions[key]], its.Pinned,
                        row.Type == MessageEvents.New ? [] : [.. pointers[key.Item1]]);
                    return Tell(row, view, its, reader);
                };
            });
    }

    private MessageView Tell(FeedRow row, MessageView message, Around around, UserId? reader)
    {
        var values = row.Values<MessageValues>();
        var told = message with
        {
            // Whoever counts the unread mentions has to learn of whom it spoke before it was deleted.
            Mentions = around.Mentions is { } mentions ? [.. mentions.Select(id => new UserId(id))] : message.Mentions,
            ReplyTo = policies.With(around.Policy).QuotesForAll() && message.ReplyTo?.Seq > around.ClearedSeq
                ? message.ReplyTo
                : message.ReplyTo?.ToLink(),
            RecipientCount = row.Type == MessageEvents.New ? values.RecipientCount : message.RecipientCount,
        };
        // To who deletes it for oneself it is gone; who resumes from before hears that it was sent, which keeps the seqs dense.
        if (row.UserId is not null)
            return values.Deleted is { } own ? told.WithoutContent(own) with { Mentions = [] } : told;
        return around.HiddenAt is { } at ? told.WithoutContent(new DeletedView(at, reader, DeleteReason.User, DeleteScope.Me)) : told;
    }

    private static MessagePlace PlaceOf(FeedRow row) =>
        new(new ConversationId(row.ConversationId!.Value), row.Seq!.Value, row.Values<MessageValues>().CreatedAt ?? row.OccurredAt);

    private sealed record Around(
        ConversationId ConversationId, long Seq, JsonText? Policy, bool Pinned, string[]? Mentions, long ClearedSeq, Instant? HiddenAt);

    private sealed record PointerRow(ConversationId ConversationId, UserId UserId, long JoinedSeq, long? LastReadSeq, long? LastDeliveredSeq)
    {
        public MessageViewStore.PointerRow ToPointer() => new(UserId, JoinedSeq, LastReadSeq, LastDeliveredSeq, OwnDeliveredSeq: null);
    }
}

/// <summary>Reactions and pins: their rows say all of it, and of a message that is deleted they are told no more.</summary>
public sealed class MarkEventSource : IEventSource
{
    // Index: pk_message_gaps.
    private const string DeletedSql =
        """
        SELECT g.conversation_id, g.seq
        FROM unnest(@MarkedConversations::uuid[], @MarkedSeqs::bigint[]) AS k (conversation_id, seq)
        JOIN message_gaps g ON g.conversation_id = k.conversation_id AND g.seq = k.seq AND g.deletion IS NOT NULL
        """;

    public IReadOnlyCollection<string> Types { get; } = [MessageReacted.Name, MessagePinned.Name];

    public Reading<Func<FeedRow, object?>> Read(IReadOnlyList<FeedRow> rows, UserId? reader) => new(
        DeletedSql,
        new
        {
            MarkedConversations = rows.Select(row => row.ConversationId!.Value).ToArray(),
            MarkedSeqs = rows.Select(row => row.Seq!.Value).ToArray(),
        },
        async grid =>
        {
            var deleted = (await grid.ReadAsync<Key>()).ToHashSet();
            return row => deleted.Contains(new Key(row.ConversationId!.Value, row.Seq!.Value)) ? null : row.Payload;
        });

    private sealed record Key(Guid ConversationId, long Seq);
}
