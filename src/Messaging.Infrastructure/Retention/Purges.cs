using Dapper;
using Messaging.Application.Messages;
using Messaging.Infrastructure.Database;
using Npgsql;

namespace Messaging.Infrastructure.Retention;

/// <summary>
/// Removes what is left of conversations that were deleted for everyone, a thousand messages a commit, and then what hung on them.
/// </summary>
public sealed class Purges(DirectDataSource database, IEnumerable<MessageExtra> extras)
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

    // What is no message's alone. Index: the primary key of each, which begins with the conversation; ix_reports_conversation.
    private const string RestSql =
        """
        WITH g AS (DELETE FROM message_gaps WHERE conversation_id = $1),
            o AS (DELETE FROM participant_gaps WHERE conversation_id = $1),
            h AS (DELETE FROM message_hidden WHERE conversation_id = $1),
            v AS (DELETE FROM message_edits WHERE conversation_id = $1),
            w AS (DELETE FROM message_originals WHERE conversation_id = $1),
            m AS (DELETE FROM mentions WHERE conversation_id = $1),
            p AS (DELETE FROM reports WHERE conversation_id = $1),
            b AS (DELETE FROM bans WHERE conversation_id = $1)
        DELETE FROM purges
        WHERE conversation_id = $1
        """;

    public async Task PurgeAsync(CancellationToken ct)
    {
        await using var connection = await database.Value.OpenConnectionAsync(ct);
        while (await connection.QuerySingleOrDefaultAsync<Guid?>(new CommandDefinition(NextSql, cancellationToken: ct)) is { } id)
            await PurgeAsync(connection, id, ct);
    }

    private async Task PurgeAsync(NpgsqlConnection connection, Guid id, CancellationToken ct)
    {
        var messages = new CommandDefinition(MessagesSql, new { Id = id, Limit = BatchSize }, cancellationToken: ct);
        while (await connection.ExecuteAsync(messages) >= BatchSize)
        {
        }
        // Together, or not at all: what has no entry in purges any more is looked for no more.
        await using var rest = new NpgsqlBatch(connection);
        foreach (var sql in extras.SelectMany(extra => extra.Purges).Append(RestSql))
            rest.BatchCommands.Add(new NpgsqlBatchCommand(sql) { Parameters = { new NpgsqlParameter<Guid> { TypedValue = id } } });
        await rest.ExecuteNonQueryAsync(ct);
    }
}
