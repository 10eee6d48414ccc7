using MediatR;
using Messaging.Application.Attachments;
using Messaging.Application.Common;
using Messaging.Domain.Common;
using Messaging.Domain.Messages;

namespace Messaging.Application.Messages;

/// <summary>The original of a deleted message, for moderators; its files by name alone.</summary>
public sealed record GetOriginal(MessageId Id) : IQuery<MessageView>;

public sealed class GetOriginalHandler(
    DbSession session, MessageLookupStore places, MessageReader views, AttachmentStore attachments, FileUrls urls)
    : IRequestHandler<GetOriginal, MessageView>
{
    // Index: pk_message_originals.
    private const string OriginalSql =
        """
        SELECT text, metadata, mentions, location, reference
        FROM message_originals
        WHERE conversation_id = @ConversationId AND seq = @Seq
        """;

    public async Task<MessageView> Handle(GetOriginal query, CancellationToken ct)
    {
        var (id, seq, _) = await places.GetAnyAsync(query.Id, ct);
        var view = await views.GetAsync(id, seq, Actor.Service, ct);
        if (view.Deleted is null)
            return view;
        var original = await session.QuerySingleOrDefaultAsync<Row>(OriginalSql, new { ConversationId = id.Value, Seq = seq }, ct);
        var files = await attachments.ListAsync(id, seq, ct);
        return view with
        {
            Text = original?.Text,
            Metadata = original?.Metadata,
            Mentions = [.. (original?.Mentions ?? []).Select(user => new UserId(user))],
            Location = MessagingJson.Read<MessageLocation>(original?.Location),
            Reference = MessagingJson.Read<MessageReference>(original?.Reference),
            Attachments = [.. files.Select(file => file.ToView(urls, UrlAudience.Caller) with { Url = null, Variants = null })],
        };
    }

    private sealed record Row(string? Text, JsonText? Metadata, string[]? Mentions, JsonText? Location, JsonText? Reference);
}
