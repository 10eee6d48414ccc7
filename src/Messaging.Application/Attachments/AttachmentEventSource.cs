using Messaging.Application.Common;
using Messaging.Application.Events;
using Messaging.Domain.Attachments;
using Messaging.Domain.Common;

namespace Messaging.Application.Attachments;

/// <summary>Which file an event is about.</summary>
public sealed record AttachmentValues
{
    public AttachmentId? Id { get; init; }
}

/// <summary>Files for their uploaders. Of one that is nobody's any more nothing is told.</summary>
public sealed class AttachmentEventSource(FileUrls urls) : IEventSource
{
    // The LIMIT keeps the planner from reading all files of the conversations, to join them. Index: pk_attachments, pk_conversations.
    private const string ReadySql =
        $"""
        SELECT {AttachmentRow.Columns}
        FROM unnest(@ReadyConversations::uuid[], @Ready::uuid[]) AS k (conversation_id, id)
        JOIN conversations c ON c.id = k.conversation_id
        CROSS JOIN LATERAL (
            SELECT {AttachmentRow.Columns}
            FROM attachments a
            WHERE a.conversation_id = k.conversation_id AND a.id = k.id AND NOT a.is_released
            LIMIT 1
        ) a
        """;

    public IReadOnlyCollection<string> Types { get; } = [AttachmentReady.Name];

    public Reading<Func<FeedRow, object?>> Read(IReadOnlyList<FeedRow> rows, UserId? reader)
    {
        var keys = rows.Select(row => (row.ConversationId!.Value, IdOf(row))).Where(key => key.Item2 is not null).Distinct().ToList();
        return new(
            ReadySql,
            new
            {
                ReadyConversations = keys.Select(key => key.Item1).ToArray(),
                Ready = keys.Select(key => key.Item2!.Value.Value).ToArray(),
            },
            async grid =>
            {
                var files = (await grid.ReadAsync<AttachmentRow>()).ToDictionary(file => file.Id);
                return row => IdOf(row) is { } id && files.TryGetValue(id, out var file) ? file.ToView(urls, UrlAudience.Everybody) : null;
            });
    }

    private static AttachmentId? IdOf(FeedRow row) => row.Values<AttachmentValues>().Id;
}
