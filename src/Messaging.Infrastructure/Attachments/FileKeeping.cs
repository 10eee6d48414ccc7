using System.Text.Json;
using Dapper;
using Messaging.Application.Attachments;
using Messaging.Application.Common;
using Messaging.Application.Events;
using Messaging.Domain.Attachments;
using Messaging.Domain.Common;
using Messaging.Infrastructure.Database;
using Microsoft.Extensions.Logging;
using NodaTime;
using Npgsql;

namespace Messaging.Infrastructure.Attachments;

/// <summary>
/// Collects files that no message names, removes those that are nobody's any more, and has the scanner look at those that wait.
/// </summary>
public sealed class FileKeeping(
    DirectDataSource database, IFileStorage storage, IVirusScanner scanner, Spool spool, OutboxSignal signal, IClock clock,
    ILogger<FileKeeping> logger)
{
    private const int BatchSize = 500;

    // Index: ix_attachments_unused.
    private const string CollectSql =
        $"""
        WITH gone AS (
            DELETE FROM attachments a
            WHERE {AttachmentSql.Unnamed} AND a.created_at < @Before AND (a.conversation_id, a.id) IN (
                SELECT a.conversation_id, a.id
                FROM attachments a
                WHERE {AttachmentSql.Unnamed} AND a.created_at < @Before
                ORDER BY a.created_at
                LIMIT @Limit)
            RETURNING files
        ),
        removal AS (
            INSERT INTO file_removals (key, created_at)
            SELECT f ->> 'key', @Now
            FROM gone, jsonb_array_elements(gone.files) AS f
            ON CONFLICT DO NOTHING
        )
        SELECT count(*)
        FROM gone
        """;

    // Few rows: what was let go lately. Index: pk_file_removals.
    private const string NextSql =
        """
        SELECT key
        FROM file_removals
        ORDER BY key
        LIMIT @Limit
        """;

    // Index: pk_file_removals.
    private const string RemovedSql =
        """
        DELETE FROM file_removals
        WHERE key = @Key
        """;

    // Index: ix_attachments_pending.
    private const string PendingSql =
        """
        SELECT a.id, a.conversation_id, a.files
        FROM attachments a
        WHERE a.scan = 'pending' AND a.is_stored
        ORDER BY a.created_at
        LIMIT @Limit
        """;

    // What is infected loses its files; its place in a message stays. Index: pk_attachments.
    private const string ScannedSql =
        """
        WITH a AS (
            UPDATE attachments
            SET scan = @Scan, files = CASE WHEN @Scan = 'infected' THEN '[]'::jsonb ELSE files END
            WHERE conversation_id = @ConversationId AND id = @Id AND scan = 'pending'
            RETURNING uploader_id
        ),
        removal AS (
            INSERT INTO file_removals (key, created_at)
            SELECT f ->> 'key', @Now
            FROM a, jsonb_array_elements(@Files::jsonb) AS f
            WHERE @Scan = 'infected'
            ON CONFLICT DO NOTHING
        )
        SELECT a.uploader_id
        FROM a
        """;

    // The uploader's alone.
    private const string TellSql =
        """
        INSERT INTO outbox (occurred_at, conversation_id, user_id, type, payload)
        VALUES (clock_timestamp(), @ConversationId, @UserId, @Type, @Payload::jsonb)
        """;

    /// <summary>All of it.</summary>
    public async Task KeepAsync(CancellationToken ct)
    {
        await ScanAsync(ct);
        await CollectAsync(ct);
        await RemoveAsync(ct);
    }

    /// <summary>Lets go of files that no message has named for a day, and of what killed processes left.</summary>
    public async Task CollectAsync(CancellationToken ct)
    {
        var now = clock.GetCurrentInstant();
        await using var connection = await database.Value.OpenConnectionAsync(ct);
        var before = Attachment.ExpiredBefore(now).ToDateTimeUtc();
        var collect = new CommandDefinition(
            CollectSql, new { Before = before, Now = now.ToDateTimeUtc(), Limit = BatchSize }, cancellationToken: ct);
        while (await connection.QuerySingleAsync<long>(collect) >= BatchSize)
        {
        }
        spool.Clear(TimeSpan.FromDays(1));
    }

    /// <summary>Removes files that were let go; those that the storage does not remove now are removed later.</summary>
    public async Task RemoveAsync(CancellationToken ct)
    {
        await using var connection = await database.Value.OpenConnectionAsync(ct);
        List<string> keys;
        do
        {
            keys = (await connection.QueryAsync<string>(new CommandDefinition(NextSql, new { Limit = BatchSize }, cancellationToken: ct)))
                .AsList();
            foreach (var key in keys)
            {
                if (!await TryRemoveAsync(key, ct))
                    return;
                await connection.ExecuteAsync(new CommandDefinition(RemovedSql, new { Key = key }, cancellationToken: ct));
            }
        }
        while (keys.Count == BatchSize);
    }

    /// <summary>Has the scanner look at what it did not answer for, and tells the uploaders.</summary>
    public async Task ScanAsync(CancellationToken ct)
    {
        await using var connection = await database.Value.OpenConnectionAsync(ct);
        var pending = await connection.QueryAsync<PendingRow>(
            new CommandDefinition(PendingSql, new { Limit = BatchSize }, cancellationToken: ct));
        foreach (var row in pending.AsList())
        {
            var scan = await ScanAsync(row, ct);
            if (scan is ScanState.Pending)
                return;
            await TellAsync(connection, row, scan, ct);
        }
    }

    private async Task<ScanState> ScanAsync(PendingRow row, CancellationToken ct)
    {
        var scan = ScanState.Clean;
        foreach (var file in MessagingJson.Read<List<StoredFile>>(row.Files)!)
        {
            await using var content = await OpenAsync(file.Key, ct);
            if (content is null)
                return ScanState.Pending;
            scan = await scanner.ScanAsync(content, ct);
            if (scan is not ScanState.Clean)
                return scan;
        }
        return scan;
    }

    private async Task TellAsync(NpgsqlConnection connection, PendingRow row, ScanState scan, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var uploader = await connection.QuerySingleOrDefaultAsync<string>(new CommandDefinition(
            ScannedSql,
            new
            {
                ConversationId = row.ConversationId.Value,
                Id = row.Id.Value,
                Scan = scan.ToString().ToLowerInvariant(),
                Files = row.Files.Value,
                Now = clock.GetCurrentInstant().ToDateTimeUtc(),
            },
            transaction,
            cancellationToken: ct));
        if (uploader is null)
            return;
        await connection.ExecuteAsync(new CommandDefinition(
            TellSql,
            new
            {
                ConversationId = row.ConversationId.Value,
                UserId = uploader,
                Type = AttachmentReady.Name,
                Payload = JsonSerializer.Serialize(new AttachmentValues { Id = row.Id }, MessagingJson.Options),
            },
            transaction,
            cancellationToken: ct));
        await transaction.CommitAsync(ct);
        signal.Raise();
    }

    private async Task<Stream?> OpenAsync(string key, CancellationToken ct)
    {
        try
        {
            return await storage.OpenAsync(key, ct);
        }
        catch (StorageUnavailableException e)
        {
            logger.LogWarning(e, "The storage of files does not answer; the scanner waits");
            return null;
        }
    }

    private async Task<bool> TryRemoveAsync(string key, CancellationToken ct)
    {
        try
        {
            await storage.RemoveAsync(key, ct);
            return true;
        }
        catch (StorageUnavailableException e)
        {
            logger.LogWarning(e, "The storage of files does not answer; what was let go is removed later");
            return false;
        }
    }

    private sealed record PendingRow(AttachmentId Id, ConversationId ConversationId, JsonText Files);
}
