using Dapper;
using Messaging.Infrastructure.Database;
using Npgsql;

namespace Messaging.Infrastructure.Retention;

/// <summary>Removes what is left of conversations that were deleted for everyone, a thousand messages a commit.</summary>
public sealed class Purges(DirectDataSource database)
{
    private const int BatchSize = 1_000;

    // Few rows: what was deleted lately.
    private const string NextSql =
        """
        SELECT conversation_id
        FROM purges
        ORDER BY deleted_at
        LIMIT 1
        """;

    // Index: pk_messages of each month, the lowest seqs of the conversation.
    private const string MessagesSql =
        """
        DELETE FROM messages
        WHERE conversation_id = @Id AND seq IN (
            SELECT seq
            FROM messages
            WHERE conversation_id = @Id
            ORDER BY seq
            LIMIT @Limit)
        """;

    // Index: the primary key of each, which begins with the conversation; ix_reports_conversation.
    private const string RestSql =
        """
        WITH g AS (DELETE FROM message_gaps WHERE conversation_id = @Id),
            o AS (DELETE FROM participant_gaps WHERE conversation_id = @Id),
            h AS (DELETE FROM message_hidden WHERE conversation_id = @Id),
            v AS (DELETE FROM message_edits WHERE conversation_id = @Id),
            w AS (DELETE FROM message_originals WHERE conversation_id = @Id),
            m AS (DELETE FROM mentions WHERE conversation_id = @Id),
            r AS (DELETE FROM read_marks WHERE conversation_id = @Id),
            d AS (DELETE FROM delivered_marks WHERE conversation_id = @Id),
            e AS (DELETE FROM reactions WHERE conversation_id = @Id),
            n AS (DELETE FROM reaction_counts WHERE conversation_id = @Id),
            i AS (DELETE FROM pins WHERE conversation_id = @Id),
            a AS (DELETE FROM attachments WHERE conversation_id = @Id RETURNING files),
            f AS (
                INSERT INTO file_removals (key, created_at)
                SELECT file ->> 'key', now()
                FROM a, jsonb_array_elements(a.files) AS file
                ON CONFLICT DO NOTHING),
            p AS (DELETE FROM reports WHERE conversation_id = @Id),
            b AS (DELETE FROM bans WHERE conversation_id = @Id)
        DELETE FROM purges
        WHERE conversation_id = @Id
        """;

    public async Task PurgeAsync(CancellationToken ct)
    {
        await using var connection = await database.Value.OpenConnectionAsync(ct);
        while (await connection.QuerySingleOrDefaultAsync<Guid?>(new CommandDefinition(NextSql, cancellationToken: ct)) is { } id)
            await PurgeAsync(connection, id, ct);
    }

    private static async Task PurgeAsync(NpgsqlConnection connection, Guid id, CancellationToken ct)
    {
        var messages = new CommandDefinition(MessagesSql, new { Id = id, Limit = BatchSize }, cancellationToken: ct);
        while (await connection.ExecuteAsync(messages) >= BatchSize)
        {
        }
        await connection.ExecuteAsync(new CommandDefinition(RestSql, new { Id = id }, cancellationToken: ct));
    }
}
