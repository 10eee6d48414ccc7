using Messaging.Application.Events;
using Messaging.Infrastructure.Cluster;
using Messaging.Infrastructure.Database;
using Messaging.Infrastructure.Events;
using Messaging.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Messaging.Application.Tests.Events;

/// <summary>The outbox and the feed of a clean database, written and read past the application.</summary>
sealed class FeedDatabase : IAsyncDisposable
{
    /// <summary>How many events of conversations are out of their order, missing or doubled.</summary>
    public const string ViolationsSql =
        """
        SELECT count(*)
        FROM (
            SELECT (payload ->> 'no')::bigint AS no,
                lag((payload ->> 'no')::bigint) OVER (PARTITION BY conversation_id ORDER BY position) AS earlier
            FROM feed
            WHERE conversation_id IS NOT NULL
        ) AS rows
        WHERE no <> coalesce(earlier, 0) + 1
        """;

    const string AppendSql =
        """
        WITH c AS (
            UPDATE conversations
            SET event_no = event_no + 1,
                last_event_at = greatest(now(), (last_event_at AT TIME ZONE 'UTC' + interval '1 microsecond') AT TIME ZONE 'UTC')
            WHERE id = @Id
            RETURNING event_no, last_event_at
        )
        INSERT INTO outbox (occurred_at, conversation_id, event_no, type, payload)
        SELECT last_event_at, @Id, event_no, 'test:event', jsonb_build_object('no', event_no)
        FROM c
        """;

    FeedDatabase(Slices slices)
    {
        Slices = slices;
        Direct = new DirectDataSource(NpgsqlDataSource.Create(slices.ConnectionString));
        Partitions = new Partitions(Direct);
    }

    public Slices Slices { get; }

    public DirectDataSource Direct { get; }

    public Partitions Partitions { get; }

    public OutboxSignal Committed { get; } = new();

    public MovedEvents Events { get; } = new();

    public FeedSignal Moved { get; } = new();

    public static async Task<FeedDatabase> StartAsync() => new(await Slices.StartAsync());

    public Sequencer Sequencer() => new(
        Direct, Committed, Events, Moved, Partitions, NullLogger<Sequencer>.Instance);

    public async Task<OutboxMover> MoverAsync(Lease lease) =>
        await OutboxMover.PrepareAsync(await Direct.Value.OpenConnectionAsync(), lease, CancellationToken.None);

    public async Task<Lease?> AcquireAsync(
        string holder, double seconds = 60, string lease = Infrastructure.Events.Sequencer.LeaseName)
    {
        await using var connection = await Direct.Value.OpenConnectionAsync();
        return await Lease.AcquireAsync(connection, lease, holder, TimeSpan.FromSeconds(seconds), CancellationToken.None);
    }

    /// <summary>A conversation's row; nobody takes part unless named.</summary>
    public async Task<Guid> ConversationAsync(params string[] users)
    {
        var id = Guid.CreateVersion7();
        await Slices.ExecuteAsync(
            """
            INSERT INTO conversations (id, type, participant_count, created_at, updated_at, last_event_at, last_activity_at)
            VALUES (@Id, 'group', 0, now(), now(), now(), now());
            INSERT INTO users (id, created_at, updated_at) SELECT unnest(@Users), now(), now() ON CONFLICT DO NOTHING;
            INSERT INTO participants (conversation_id, user_id, role, joined_at) SELECT @Id, unnest(@Users), 'member', now()
            """,
            new { Id = id, Users = users });
        return id;
    }

    /// <summary>An event with its place in the conversation, committed by itself.</summary>
    public async Task AppendAsync(Guid conversation)
    {
        await using var command = Direct.Value.CreateCommand(AppendSql);
        command.Parameters.AddWithValue("Id", conversation);
        await command.ExecuteNonQueryAsync();
        Committed.Raise();
    }

    /// <summary>The same in a transaction that stays open.</summary>
    public async Task<NpgsqlTransaction> AppendOpenAsync(Guid conversation)
    {
        var connection = await Direct.Value.OpenConnectionAsync();
        var transaction = await connection.BeginTransactionAsync();
        await using var command = new NpgsqlCommand(AppendSql, connection, transaction);
        command.Parameters.AddWithValue("Id", conversation);
        await command.ExecuteNonQueryAsync();
        return transaction;
    }

    public Task AppendForAsync(string user) => Slices.ExecuteAsync(
        "INSERT INTO outbox (occurred_at, user_id, type, payload) VALUES (now(), @User, 'test:own', '{}')", new { User = user });

    /// <summary>Moves all that is committed.</summary>
    public async Task DrainAsync()
    {
        await using (var connection = await Direct.Value.OpenConnectionAsync())
            await FeedEpoch.EnsureAsync(connection, CancellationToken.None);
        await using var mover = await MoverAsync((await AcquireAsync("drain"))!);
        while ((await mover.MoveAsync(CancellationToken.None)).Count > 0)
        {
        }
    }

    public Task<long> CountAsync(string table) => Slices.ScalarAsync<long>($"SELECT count(*) FROM {table}");

    public Task<FeedCursor> EndAsync() =>
        Slices.SqlAsync(session => new EventStore(session, new EventRenderer([])).NewestAsync(CancellationToken.None));

    public async ValueTask DisposeAsync()
    {
        await Direct.DisposeAsync();
        await Slices.DisposeAsync();
        Committed.Dispose();
    }
}
