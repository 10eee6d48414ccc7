using Dapper;
using Messaging.Infrastructure.Database;
using NodaTime;
using Npgsql;

namespace Messaging.Infrastructure.Events;

/// <summary>Forgets what is kept for a time only, a thousand rows a commit.</summary>
public sealed class OldRows(DirectDataSource database, IClock clock)
{
    private const int BatchSize = 1_000;

    private static readonly Duration MessageKeys = Duration.FromDays(8);
    private static readonly Duration IdempotencyKeys = Duration.FromHours(48);

    // A token that is over still tells the account's devices from strangers.
    private static readonly Duration RefreshTokens = Duration.FromDays(30);

    private static readonly Duration Revocations = Duration.FromDays(2);

    // Index: ix_message_keys_created_at.
    private const string MessageKeysSql =
        """
        DELETE FROM message_keys
        WHERE ctid = ANY (ARRAY(SELECT ctid FROM message_keys WHERE created_at < @Before LIMIT @Limit))
        """;

    // Index: ix_refresh_tokens_expires_at.
    private const string RefreshTokensSql =
        """
        DELETE FROM refresh_tokens
        WHERE ctid = ANY (ARRAY(SELECT ctid FROM refresh_tokens WHERE expires_at < @Before LIMIT @Limit))
        """;

    // Index: ix_login_failures_ends_at.
    private const string LoginFailuresSql =
        """
        DELETE FROM login_failures
        WHERE ctid = ANY (ARRAY(SELECT ctid FROM login_failures WHERE ends_at < @Before LIMIT @Limit))
        """;

    // Index: ix_departures_ends_at.
    private const string DeparturesSql =
        """
        DELETE FROM departures
        WHERE ctid = ANY (ARRAY(SELECT ctid FROM departures WHERE ends_at < @Before LIMIT @Limit))
        """;

    // Index: ix_idempotency_keys_created_at.
    private const string IdempotencyKeysSql =
        """
        DELETE FROM idempotency_keys
        WHERE ctid = ANY (ARRAY(SELECT ctid FROM idempotency_keys WHERE created_at < @Before LIMIT @Limit))
        """;

    // Index: ix_revocations_kind_revoked_at. No token of a key or a login lives longer than a day; those of a user may be the host's own and
    // live as long as it likes.
    private const string RevocationsSql =
        """
        DELETE FROM revocations
        WHERE ctid = ANY (ARRAY(
            SELECT ctid
            FROM revocations
            WHERE kind IN ('key', 'session', 'connections') AND revoked_at < @Before
            LIMIT @Limit))
        """;

    public async Task ForgetAsync(CancellationToken ct)
    {
        await using var connection = await database.Value.OpenConnectionAsync(ct);
        var now = clock.GetCurrentInstant();
        await ForgetAsync(connection, MessageKeysSql, now - MessageKeys, ct);
        await ForgetAsync(connection, IdempotencyKeysSql, now - IdempotencyKeys, ct);
        await ForgetAsync(connection, RefreshTokensSql, now - RefreshTokens, ct);
        await ForgetAsync(connection, LoginFailuresSql, now, ct);
        await ForgetAsync(connection, DeparturesSql, now, ct);
        await ForgetAsync(connection, RevocationsSql, now - Revocations, ct);
    }

    private static async Task ForgetAsync(NpgsqlConnection connection, string sql, Instant before, CancellationToken ct)
    {
        var command = new CommandDefinition(sql, new { Before = before.ToDateTimeUtc(), Limit = BatchSize }, cancellationToken: ct);
        while (await connection.ExecuteAsync(command) == BatchSize)
        {
        }
    }
}
