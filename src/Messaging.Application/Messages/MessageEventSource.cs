using Dapper;
using Messaging.Application.Attachments;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Events;
using Messaging.Domain.Common;
using Messaging.Domain.Messages;
using Messaging.Domain.Reactions;
using NodaTime;

namespace Messaging.Application.Messages;

/// <summary>The values that the row of a message's event keeps; everything else is read when it is delivered.</summary>
public sealed record MessageValues
{
    /// <summary>The message's time; null in <c>message:new</c>, which has the same time.</summary>
    public Instant? CreatedAt { get; init; }

    /// <summary>The number of recipients of a new message.</summary>
    public int RecipientCount { get; init; }

    /// <summary>How many people a new message mentions, or an edit mentions that were not before; everybody counts as all.</summary>
    public int MentionCount { get; init; }

    /// <summary>Whether a new message notifies nobody.</summary>
    public bool Silent { get; init; }

    /// <summary>Set for a message that a user deletes for themselves.</summary>
    public DeletedView? Deleted { get; init; }

    /// <summary>Whom an edit mentions that was not mentioned before; null for nobody.</summary>
    public IReadOnlyList<UserId>? Mentioned { get; init; }

    /// <summary>Whether an edit mentions somebody no more.</summary>
    public bool Unmentioned { get; init; }

    public static MessageValues Of(StoredMessage message) => new() { CreatedAt = message.CreatedAt };
}

/// <summary>The data of message events, as all their receivers may see it.</summary>
public sealed class MessageEventSource(PolicySettings policies, MessageDetailSet details) : IEventSource
{
    // What belongs to a message, and what its reader may see of it; without a reader, the caller checks that for each receiver.
    // Index: pk_conversations, pk_message_originals, pk_participants, pk_message_hidden, pk_messages.
    private const string AroundSql =
        $"""
        SELECT k.conversation_id, k.seq,
            (SELECT o.mentions FROM message_originals o WHERE o.conversation_id = k.conversation_id AND o.seq = k.seq) AS mentions,
            (
                SELECT h.hidden_at
                FROM message_hidden h
                WHERE h.conversation_id = k.conversation_id AND h.user_id = @Reader AND h.seq = k.seq) AS hidden_at,
            @Reader::text IS NULL OR EXISTS (
                SELECT FROM messages m
                CROSS JOIN LATERAL (SELECT m.reply_to_seq AS seq) r
                JOIN participants p ON p.conversation_id = k.conversation_id AND p.user_id = @Reader
                WHERE m.conversation_id = k.conversation_id AND m.seq = k.seq AND m.created_at = k.created_at
                    AND {VisibilitySql.ReplySeen}) AS shows_reply
        FROM {MessageReader.Places}
        JOIN conversations c ON c.id = k.conversation_id
        """;

    public IReadOnlyCollection<string> Types { get; } = [MessageSent.Name, MessageEdited.Name, MessageDeleted.Name];

    public Reading<Func<FeedRow, object?>> Read(IReadOnlyList<FeedRow> rows, UserId? reader)
    {
        var places = rows.Select(PlaceOf).Distinct().ToList();
        // Delivery and read counts are read with the message: they move without the conversation's lock, and must not be older than what
        // was delivered before. Nobody has received a new message yet.
        var counted = rows.Where(row => row.Type != MessageSent.Name).Select(row => PlaceOf(row).ConversationId).Distinct().ToList();
        var shown = MessageReader.Read(details, places, Actor.Service, counted, policies.Receipts, UrlAudience.Everybody);
        var parameters = new DynamicParameters(shown.Parameters);
        parameters.AddDynamicParams(new { Reader = reader?.Value });
        return new(
            shown.Sql + ";" + AroundSql,
            parameters,
            async grid =>
            {
                var messages = await shown.ReadAsync(grid);
                var around = (await grid.ReadAsync<Around>()).ToDictionary(row => (row.ConversationId, row.Seq));
                return row =>
                {
                    var key = (new ConversationId(row.ConversationId!.Value), row.Seq!.Value);
                    return messages(key.Item1, key.Item2) is { } message && around.TryGetValue(key, out var its)
                        ? Tell(row, message, its, reader)
                        : null;
                };
            });
    }

    private static MessageView Tell(FeedRow row, MessageView message, Around around, UserId? reader)
    {
        var values = row.Values<MessageValues>();
        var told = message with
        {
            // Clients that count unread mentions need those that it had before it was deleted.
            Mentions = around.Mentions is { } mentions ? [.. mentions.Select(id => new UserId(id))] : message.Mentions,
            ReplyTo = around.ShowsReply ? message.ReplyTo : null,
        };
        if (row.Type == MessageSent.Name)
            told = told with { DeliveredCount = 0, ReadCount = 0, RecipientCount = values.RecipientCount };
        // It has no content for a user who has deleted it for themselves; on resuming it is still sent, so the seqs have no gap.
        if (row.UserId is not null)
            return values.Deleted is { } own ? told.WithoutContent(own) with { Mentions = [] } : told;
        return around.HiddenAt is { } at ? told.WithoutContent(new DeletedView(at, reader, DeleteReason.User, DeleteScope.Me)) : told;
    }

    private static MessageKey PlaceOf(FeedRow row) =>
        new(new ConversationId(row.ConversationId!.Value), row.Seq!.Value, row.Values<MessageValues>().CreatedAt ?? row.OccurredAt);

    private sealed record Around(
        ConversationId ConversationId, long Seq, string[]? Mentions, Instant? HiddenAt, bool ShowsReply);
}

/// <summary>Reactions and pins: their rows contain everything. They are not delivered once the message is deleted.</summary>
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
