using Dapper;
using Messaging.Application.Common;
using Messaging.Application.Messages;
using Messaging.Infrastructure.Database;
using Npgsql;

namespace Messaging.Infrastructure.Retention;

/// <summary>
/// Removes what is left of conversations that were deleted for everyone, a thousand messages a commit, and then what hung on them.
/// </summary>
public sealed class Purges(DirectDataSource database, IEnumerable<MessageDetail> details, IEnumerable<Module> modules)
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

    // Index: pk_purges.
    private const string DoneSql = "DELETE FROM purges WHERE conversation_id = $1";

    private readonly string[] rest =
        [.. details.SelectMany(detail => detail.Purges), .. modules.SelectMany(module => module.Purges), DoneSql];

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
        await using var batch = new NpgsqlBatch(connection);
        foreach (var sql in rest)
            batch.BatchCommands.Add(new NpgsqlBatchCommand(sql) { Parameters = { new NpgsqlParameter<Guid> { TypedValue = id } } });
        await batch.ExecuteNonQueryAsync(ct);
    }
}
