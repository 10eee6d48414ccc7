using System.Text.Json;
using Messaging.Application.Common;
using Messaging.Application.Messages;
using Messaging.Domain.Attachments;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Attachments;

/// <summary>A file that is about to be kept.</summary>
public sealed record NewAttachment(
    AttachmentId Id, ConversationId ConversationId, UserId UploaderId, string FileName, string ContentType, AttachmentCategory Category,
    long Size,
    int? Width, int? Height, long? DurationMs, int? SortOrder, ScanState Scan, IReadOnlyList<StoredFile> Files, Instant CreatedAt);

/// <summary>Keeps what is known of files; the files themselves lie in the storage.</summary>
public sealed class AttachmentStore(DbSession session)
{
    // One's part in the conversation is looked at here. Index: pk_participants.
    private const string AddSql =
        """
        INSERT INTO attachments (conversation_id, id, uploader_id, file_name, content_type, category, size, width, height, duration_ms,
            sort_order, scan, files, secret, created_at)
        SELECT @ConversationId, @Id, @UploaderId, @FileName, @ContentType, @Category, @Size, @Width, @Height, @DurationMs, @SortOrder,
            @Scan,
            @Files::jsonb, @Secret, @CreatedAt
        FROM participants p
        WHERE p.conversation_id = @ConversationId AND p.user_id = @UploaderId AND p.left_at IS NULL
        """;

    // Index: pk_attachments.
    private const string KeepSql =
        """
        UPDATE attachments
        SET is_stored = true
        WHERE conversation_id = @ConversationId AND id = @Id
        """;

    // Index: pk_attachments.
    private const string DropSql =
        """
        WITH gone AS (
            DELETE FROM attachments
            WHERE conversation_id = @ConversationId AND id = @Id AND NOT is_stored
            RETURNING files, created_at
        )
        INSERT INTO file_removals (key, created_at)
        SELECT f ->> 'key', gone.created_at
        FROM gone, jsonb_array_elements(gone.files) AS f
        ON CONFLICT DO NOTHING
        """;

    // One's own until a message names it, then whoever may see the message. Index: ix_attachments_id, pk_conversations, pk_participants,
    // pk_message_hidden.
    private const string FindSql =
        $"""
        SELECT {AttachmentRow.Columns}
        FROM attachments a
        JOIN conversations c ON c.id = a.conversation_id
        CROSS JOIN LATERAL (SELECT a.seq) m
        LEFT JOIN participants p ON p.conversation_id = a.conversation_id AND p.user_id = @UserId AND {VisibilitySql.TakesPart}
        WHERE a.id = @Id AND CASE WHEN @UserId::text IS NULL THEN {AttachmentSql.There} ELSE p.user_id IS NOT NULL
            AND {AttachmentSql.Seen} END
        """;

    // What its address gives: nothing of a conversation or a message that is deleted. Index: ix_attachments_id, pk_conversations.
    private const string OpenSql =
        $"""
        SELECT {AttachmentRow.Columns}
        FROM attachments a
        JOIN conversations c ON c.id = a.conversation_id
        WHERE a.id = @Id AND {AttachmentSql.Served}
        """;

    // Index: ix_attachments_id.
    private const string CountSql =
        """
        UPDATE attachments
        SET download_count = download_count + 1
        WHERE id = @Id
        """;

    /// <summary>
    /// The files that messages are about to name, of their senders alone, each message's in the order in which it shows them. They are
    /// locked, since what nobody names is collected.
    /// </summary>
    // Index: pk_attachments.
    public const string UnusedSql =
        $"""
        SELECT {AttachmentRow.Columns}
        FROM unnest($1::uuid[], $2::text[], $3::uuid[]) WITH ORDINALITY AS named (conversation_id, user_id, id, n)
        JOIN attachments a ON a.conversation_id = named.conversation_id AND a.id = named.id
        WHERE a.uploader_id = named.user_id AND {AttachmentSql.Nameable}
        ORDER BY a.sort_order, named.n
        """;

    // Index: pk_attachments.
    public const string LockUnusedSql =
        $"""
        SELECT a.conversation_id, a.id
        FROM unnest($1::uuid[], $2::text[], $3::uuid[]) AS named (conversation_id, user_id, id)
        JOIN attachments a ON a.conversation_id = named.conversation_id AND a.id = named.id
        WHERE a.uploader_id = named.user_id AND {AttachmentSql.Unnamed}
        FOR NO KEY UPDATE OF a
        """;

    public const string TryLockUnusedSql = $"{LockUnusedSql} SKIP LOCKED";

    /// <summary>Makes files, which are locked, part of a message.</summary>
    // Index: pk_attachments.
    public const string ClaimSql =
        $"""
        UPDATE attachments a
        SET seq = $2, position = named.n
        FROM unnest($3::uuid[]) WITH ORDINALITY AS named (id, n)
        WHERE a.conversation_id = $1 AND a.id = named.id AND {AttachmentSql.Unnamed}
        """;

    // Index: ix_attachments_message.
    private const string OfMessageSql =
        $"""
        SELECT {AttachmentRow.Columns}
        FROM attachments a
        WHERE a.conversation_id = @ConversationId AND a.seq = @Seq
        ORDER BY a.position
        """;

    /// <summary>
    /// Notes a file before it is in the storage, so that none is there of which nothing is known; false for who does not take part.
    /// </summary>
    public async Task<bool> AddAsync(NewAttachment attachment, Guid secret, CancellationToken ct) => await session.ExecuteAsync(
        AddSql,
        new
        {
            ConversationId = attachment.ConversationId.Value,
            Id = attachment.Id.Value,
            UploaderId = attachment.UploaderId.Value,
            attachment.FileName,
            attachment.ContentType,
            Category = attachment.Category.ToString().ToLowerInvariant(),
            attachment.Size,
            attachment.Width,
            attachment.Height,
            attachment.DurationMs,
            attachment.SortOrder,
            Scan = attachment.Scan.ToString().ToLowerInvariant(),
            Files = JsonSerializer.Serialize(attachment.Files, MessagingJson.Options),
            Secret = secret,
            attachment.CreatedAt,
        },
        ct) > 0;

    /// <summary>Its files are in the storage: from now on it can be named.</summary>
    public Task KeepAsync(NewAttachment attachment, CancellationToken ct) => session.ExecuteAsync(KeepSql, Key(attachment), ct);

    /// <summary>Its files did not come into the storage, or not all of them.</summary>
    public Task DropAsync(NewAttachment attachment, CancellationToken ct) => session.ExecuteAsync(DropSql, Key(attachment), ct);

    /// <summary>Null for one that is absent or not the viewer's to see.</summary>
    public Task<AttachmentRow?> FindAsync(AttachmentId id, Actor viewer, CancellationToken ct) =>
        session.QuerySingleOrDefaultAsync<AttachmentRow>(FindSql, new { Id = id.Value, UserId = viewer.UserId?.Value }, ct);

    /// <summary>Null for one that nobody gets.</summary>
    public Task<AttachmentRow?> FindServedAsync(AttachmentId id, CancellationToken ct) =>
        session.QuerySingleOrDefaultAsync<AttachmentRow>(OpenSql, new { Id = id.Value }, ct);

    public Task CountDownloadAsync(AttachmentId id, CancellationToken ct) => session.ExecuteAsync(CountSql, new { Id = id.Value }, ct);

    /// <summary>The files of a message, also of one that is deleted.</summary>
    public Task<List<AttachmentRow>> ListAsync(ConversationId id, long seq, CancellationToken ct) =>
        session.QueryAsync<AttachmentRow>(OfMessageSql, new { ConversationId = id.Value, Seq = seq }, ct);

    private static object Key(NewAttachment attachment) =>
        new { ConversationId = attachment.ConversationId.Value, Id = attachment.Id.Value };
}
