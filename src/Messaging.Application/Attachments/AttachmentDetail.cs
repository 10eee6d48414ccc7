using Dapper;
using Messaging.Application.Messages;

namespace Messaging.Application.Attachments;

/// <summary>The files of messages, in the order that their uploaders wanted.</summary>
public sealed class AttachmentDetail(FileUrls urls) : MessageDetail
{
    // Index: ix_attachments_message, the range alone.
    private const string PageSql =
        $"""
        WITH page AS MATERIALIZED ({MessageReader.RangeSql})
        SELECT {AttachmentRow.Columns}
        FROM page
        JOIN attachments a ON a.conversation_id = @ConversationId AND a.seq > page.after AND a.seq <= page.upto AND NOT a.is_released
        ORDER BY a.seq, a.position
        """;

    // Index: ix_attachments_message.
    private const string PlacesSql =
        $"""
        SELECT {AttachmentRow.Columns}
        FROM {MessageReader.Places}
        JOIN attachments a ON a.conversation_id = k.conversation_id AND a.seq = k.seq AND NOT a.is_released
        ORDER BY a.conversation_id, a.seq, a.position
        """;

    // Out of everybody's sight; the files themselves are kept for moderators, until they are collected. Index: ix_attachments_message.
    private const string ReleaseSql =
        """
        UPDATE attachments a
        SET is_released = true
        FROM unnest($1::uuid[], $2::bigint[]) AS w (conversation_id, seq)
        WHERE a.conversation_id = w.conversation_id AND a.seq = w.seq
        """;

    // Also of files that no message names. Index: pk_attachments.
    private const string PurgeSql =
        """
        WITH a AS (DELETE FROM attachments WHERE conversation_id = $1 RETURNING files)
        INSERT INTO file_removals (key, created_at)
        SELECT file ->> 'key', now()
        FROM a, jsonb_array_elements(a.files) AS file
        ON CONFLICT DO NOTHING
        """;

    public override IReadOnlyList<string> Purges { get; } = [PurgeSql];

    internal override string PageStatement => PageSql;

    internal override string PlacesStatement => PlacesSql;

    internal override IReadOnlyList<string> Deletions { get; } = [ReleaseSql];

    internal override async Task<Filler> ReadAsync(SqlMapper.GridReader grid, DetailRequests asked)
    {
        var files = (await grid.ReadAsync<AttachmentRow>())
            .ToLookup(file => (file.ConversationId, file.Seq!.Value), file => file.ToView(urls, asked.Audience));
        return (MessageRow message, ref MessageDetails details) =>
        {
            if (files.Contains((message.ConversationId, message.Seq)))
                details.Attachments = [.. files[(message.ConversationId, message.Seq)]];
        };
    }
}
