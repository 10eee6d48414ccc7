using MediatR;
using Messaging.Application.Attachments;
using Messaging.Application.Common;
using Messaging.Domain.Common;
using Messaging.Domain.Messages;
using NodaTime;

namespace Messaging.Application.Messages;

/// <summary>A message as it was before it was deleted, for moderators; its files by name alone.</summary>
public sealed record GetOriginal(MessageId Id) : IQuery<MessageView>;

public sealed class GetOriginalHandler(DbSession session, MessageReader views, AttachmentStore attachments, FileUrls urls)
    : IRequestHandler<GetOriginal, MessageView>
{
    // Index: ix_messages_id, in the partitions around the time that the id tells; pk_conversations; pk_message_originals.
    private const string FindSql =
        """
        SELECT m.conversation_id, m.seq, o.text, o.metadata, o.mentions, o.location, o.reference
        FROM messages m
        JOIN conversations c ON c.id = m.conversation_id
        LEFT JOIN message_originals o ON o.conversation_id = m.conversation_id AND o.seq = m.seq
        WHERE m.id = @MessageId AND m.created_at BETWEEN @From AND @To
        """;

    public async Task<MessageView> Handle(GetOriginal query, CancellationToken ct)
    {
        var time = query.Id.Time;
        // As for every message that is found by its id alone.
        var row = await FindAsync(time - Duration.FromMinutes(5), time + Duration.FromMinutes(5))
            ?? await FindAsync(Instant.FromUtc(1970, 1, 1, 0, 0), Instant.FromUtc(9999, 1, 1, 0, 0))
            ?? throw CommonErrors.NotFound();
        var view = await views.GetAsync(row.ConversationId, row.Seq, Actor.Service, ct);
        if (view.Deleted is null)
            return view;
        var files = await attachments.ListAsync(row.ConversationId, row.Seq, ct);
        return view with
        {
            Text = row.Text,
            Metadata = row.Metadata,
            Mentions = [.. (row.Mentions ?? []).Select(user => new UserId(user))],
            Location = MessagingJson.Read<MessageLocation>(row.Location),
            Reference = MessagingJson.Read<MessageReference>(row.Reference),
            Attachments = [.. files.Select(file => file.ToView(urls, UrlAudience.Caller) with { Url = null, Variants = null })],
        };

        Task<Row?> FindAsync(Instant from, Instant to) =>
            session.QuerySingleOrDefaultAsync<Row>(FindSql, new { MessageId = query.Id.Value, From = from, To = to }, ct);
    }

    private sealed record Row(
        ConversationId ConversationId, long Seq, string? Text, JsonText? Metadata, string[]? Mentions, JsonText? Location, JsonText? Reference);
}
