using System.Data.Common;
using Dapper;
using Messaging.Application.Common;
using Messaging.Domain.Common;
using Messaging.Infrastructure.Database;
using NodaTime;
using Npgsql;

namespace Messaging.Infrastructure.Inboxes;

/// <summary>
/// Keeps the places of users in whose inboxes more than <see cref="MostOfADay"/> conversations have the same day: these would be read and
/// sorted for every page.
/// </summary>
public sealed class LargeInboxes(DirectDataSource database)
{
    public const int MostOfADay = 200;

    private const int BatchSize = 200;
    private const int Passes = 5;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    // Counts each only as far as the decision needs. Index: pk_large_inboxes; ix_participants_inbox, without the table.
    private const string FindSql =
        """
        SELECT DISTINCT s.user_id
        FROM unnest(@Users::text[], @Days::date[]) AS s (user_id, day)
        WHERE NOT EXISTS (SELECT FROM large_inboxes l WHERE l.user_id = s.user_id AND l.filled_at IS NOT NULL)
            AND (
                SELECT count(*)
                FROM (
                    SELECT
                    FROM participants p
                    WHERE p.user_id = s.user_id AND p.activity_day = s.day AND p.left_at IS NULL
                    LIMIT @Most + 1
                ) of_the_day) > @Most
        """;

    // Waits for others who are adding the user to conversations; from then on they add places too. Index: pk_users.
    private const string LockUserSql =
        """
        SELECT id
        FROM users
        WHERE id = @UserId
        FOR UPDATE
        """;

    private const string StartSql =
        """
        INSERT INTO large_inboxes (user_id, started_at)
        VALUES (@UserId, clock_timestamp())
        ON CONFLICT (user_id) DO NOTHING
        """;

    // Conversations without a place, or with one that a node of an older release has not updated.
    // Index: ix_participants_inbox, pk_conversations, pk_inbox_places.
    private const string LackingSql =
        """
        SELECT p.conversation_id
        FROM participants p
        CROSS JOIN LATERAL (
            SELECT c.last_activity_at
            FROM conversations c
            WHERE c.id = p.conversation_id
            LIMIT 1
        ) c
        LEFT JOIN LATERAL (
            SELECT i.activity_at
            FROM inbox_places i
            WHERE i.conversation_id = p.conversation_id AND i.user_id = p.user_id
            LIMIT 1
        ) i ON true
        WHERE p.user_id = @UserId AND p.left_at IS NULL AND i.activity_at IS DISTINCT FROM c.last_activity_at
        ORDER BY p.conversation_id
        """;

    // Others who add the user to conversations wait meanwhile, so it waits only for a short time. Places lost in a crash are found missing
    // again: the commit that says that all are there is durable, and so is everything before it.
    private const string BoundSql =
        "SET LOCAL lock_timeout = '250ms'; SET LOCAL statement_timeout = '1s'; SET LOCAL synchronous_commit = off";

    // Skips locked conversations, which are still missing in the next pass. Index: pk_conversations.
    private const string LockConversationsSql =
        """
        SELECT id
        FROM conversations
        WHERE id = ANY(@Ids)
        FOR NO KEY UPDATE SKIP LOCKED
        """;

    // Only locked conversations, in a statement after the locks. Index: pk_conversations, pk_participants.
    private const string PlaceSql =
        """
        INSERT INTO inbox_places (conversation_id, user_id, activity_at)
        SELECT c.id, p.user_id, c.last_activity_at
        FROM unnest(@Ids::uuid[]) AS ids (id)
        JOIN conversations c ON c.id = ids.id
        JOIN participants p ON p.conversation_id = ids.id AND p.user_id = @UserId AND p.left_at IS NULL
        ON CONFLICT (conversation_id, user_id) DO UPDATE
        SET activity_at = EXCLUDED.activity_at
        """;

    // Index: pk_large_inboxes.
    private const string FilledSql =
        """
        UPDATE large_inboxes
        SET filled_at = clock_timestamp()
        WHERE user_id = @UserId AND filled_at IS NULL
        """;

    // Replaces plans that were made while there were few places, which every send uses.
    private const string CountSql = "ANALYZE inbox_places";

    // Few rows.
    private const string AllSql =
        """
        SELECT user_id
        FROM large_inboxes
        ORDER BY user_id
        """;

    /// <summary>The candidates whose inbox is large and has no places yet.</summary>
    public async Task<IReadOnlyList<UserId>> FindAsync(IReadOnlyCollection<(UserId User, LocalDate Day)> suspects, CancellationToken ct)
    {
        await using var connection = await database.Value.OpenConnectionAsync(ct);
        var parameters = new
        {
            Users = suspects.Select(suspect => suspect.User.Value).ToArray(),
            Days = suspects.Select(suspect => suspect.Day.ToDateOnly()).ToArray(),
            Most = MostOfADay,
        };
        return [.. await connection.QueryAsync<UserId>(new CommandDefinition(FindSql, parameters, cancellationToken: ct))];
    }

    /// <summary>
    /// Gives the user's conversations places. Those that stay locked are left for another time, and the inbox is read as before until all
    /// have places.
    /// </summary>
    public async Task KeepAsync(UserId user, CancellationToken ct)
    {
        await using var connection = await database.Value.OpenConnectionAsync(ct);
        if (!await StartAsync(connection, user, ct))
            return;
        for (var pass = 0; pass < Passes; pass++)
        {
            // Memberships added since then have places, so the number of missing ones only falls.
            var lacking = await LackingAsync(connection, user, ct);
            if (lacking.Count == 0)
            {
                if (await connection.ExecuteAsync(new CommandDefinition(FilledSql, new { UserId = user.Value }, cancellationToken: ct)) > 0)
                    await connection.ExecuteAsync(new CommandDefinition(CountSql, cancellationToken: ct));
                return;
            }
            if (pass > 0)
                await Task.Delay(Pause, ct);
            foreach (var ids in lacking.Chunk(BatchSize))
                await TryPlaceAsync(connection, user, ids, ct);
        }
    }

    /// <summary>Corrects missing and wrong places of large inboxes.</summary>
    public async Task TendAsync(CancellationToken ct)
    {
        await using var connection = await database.Value.OpenConnectionAsync(ct);
        foreach (var user in await connection.QueryAsync<UserId>(new CommandDefinition(AllSql, cancellationToken: ct)))
            await KeepAsync(user, ct);
    }

    private static Task<bool> StartAsync(NpgsqlConnection connection, UserId user, CancellationToken ct) => TryAsync(
        connection,
        transaction => connection.ExecuteAsync(new CommandDefinition(
            $"{LockUserSql};\n{StartSql}", new { UserId = user.Value }, transaction, cancellationToken: ct)),
        ct);

    private static async Task<IReadOnlyList<Guid>> LackingAsync(NpgsqlConnection connection, UserId user, CancellationToken ct) =>
        (await connection.QueryAsync<Guid>(new CommandDefinition(LackingSql, new { UserId = user.Value }, cancellationToken: ct))).AsList();

    private static Task<bool> TryPlaceAsync(NpgsqlConnection connection, UserId user, Guid[] ids, CancellationToken ct) => TryAsync(
        connection,
        async transaction =>
        {
            var held = await connection.QueryAsync<Guid>(new CommandDefinition(
                LockConversationsSql, new { Ids = ids }, transaction, cancellationToken: ct));
            await connection.ExecuteAsync(new CommandDefinition(
                PlaceSql, new { UserId = user.Value, Ids = held.ToArray() }, transaction, cancellationToken: ct));
        },
        ct);

    // False if a required lock is held by others.
    private static async Task<bool> TryAsync(NpgsqlConnection connection, Func<NpgsqlTransaction, Task> write, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        try
        {
            await connection.ExecuteAsync(new CommandDefinition(BoundSql, transaction: transaction, cancellationToken: ct));
            await write(transaction);
            await transaction.CommitAsync(ct);
            return true;
        }
        catch (DbException e) when (e.SqlState is SqlStates.LockNotAvailable or SqlStates.QueryCanceled
            or SqlStates.DeadlockDetected)
        {
            return false;
        }
    }
}
