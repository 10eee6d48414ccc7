using System.Text.Json;
using Messaging.Application.Common;
using Messaging.Domain.Common;

namespace Messaging.Application.Events;

/// <summary>
/// Where a command leaves its events, in its own transaction; the sequencer takes them from there. They say what has changed, with small
/// values as they were decided; what else clients hear is read when it is told.
/// </summary>
public sealed class Outbox(DbSession session, OutboxSignal signal)
{
    // Locks the conversation row: the numbers and the time that order its events are drawn under that lock and never fall.
    private const string AppendSql =
        """
        WITH c AS (
            UPDATE conversations
            SET event_no = event_no + cardinality(@Types::text[]),
                last_event_at = greatest(now(), (last_event_at AT TIME ZONE 'UTC' + interval '1 microsecond') AT TIME ZONE 'UTC')
            WHERE id = @ConversationId
            RETURNING event_no - cardinality(@Types::text[]) AS event_no, last_event_at
        )
        INSERT INTO outbox (occurred_at, conversation_id, event_no, user_id, type, payload)
        SELECT c.last_event_at, @ConversationId, c.event_no + e.no, e.audience, e.type, e.payload::jsonb
        FROM c, unnest(@Audiences::text[], @Types::text[], @Payloads::text[]) WITH ORDINALITY AS e (audience, type, payload, no)
        """;

    // An event of one user alone has no place among those of the conversation, and takes no lock of it.
    private const string AppendOwnSql =
        """
        INSERT INTO outbox (occurred_at, conversation_id, user_id, type, payload)
        VALUES (clock_timestamp(), @ConversationId, @UserId, @Type, @Payload::jsonb)
        """;

    private const string TellSql =
        """
        INSERT INTO outbox (occurred_at, user_id, type, payload)
        VALUES (clock_timestamp(), @UserId, @Type, @Payload::jsonb)
        """;

    /// <summary>Tells one user what concerns no conversation.</summary>
    public async Task TellAsync<TData>(IPersonalEvent fact, TData data, CancellationToken ct)
    {
        await session.ExecuteAsync(
            TellSql, new { UserId = fact.Audience.Value, fact.Type, Payload = Json(data) }, ct);
        session.AfterCommit(signal.Raise);
    }

    /// <summary>Appends what one user alone is told of a conversation.</summary>
    public async Task AppendOwnAsync(IEvent fact, object? data, CancellationToken ct)
    {
        await session.ExecuteAsync(
            AppendOwnSql,
            new
            {
                ConversationId = fact.ConversationId.Value,
                UserId = fact.Audience!.Value.Value,
                fact.Type,
                Payload = Json(data),
            },
            ct);
        session.AfterCommit(signal.Raise);
    }

    public Task AppendAsync<TData>(IEvent fact, TData data, CancellationToken ct) => AppendAsync([fact], [data], ct);

    /// <summary>Appends several events of one conversation, in their order, in one statement.</summary>
    public async Task AppendAsync<TData>(IReadOnlyList<IEvent> facts, IReadOnlyList<TData> data, CancellationToken ct)
    {
        await session.ExecuteAsync(
            AppendSql,
            new
            {
                ConversationId = facts[0].ConversationId.Value,
                Audiences = facts.Select(fact => fact.Audience?.Value).ToArray(),
                Types = facts.Select(fact => fact.Type).ToArray(),
                Payloads = data.Select(item => Json(item)).ToArray(),
            },
            ct);
        session.AfterCommit(signal.Raise);
    }

    /// <summary>An event's values as they are stored; null for none.</summary>
    public static string? Json<TData>(TData data) => data is null ? null : JsonSerializer.Serialize<object>(data, MessagingJson.Options);
}

/// <summary>Wakes this node's sequencer after a commit that left events in the outbox.</summary>
public sealed class OutboxSignal : IDisposable
{
    private readonly SemaphoreSlim raised = new(0, 1);

    public void Raise()
    {
        try
        {
            if (raised.CurrentCount == 0)
                raised.Release();
        }
        catch (SemaphoreFullException)
        {
            // Raised already by somebody else: one wake-up serves all.
        }
    }

    /// <summary>Returns when raised or after <paramref name="timeout"/>, whichever comes first; true when raised.</summary>
    public Task<bool> WaitAsync(TimeSpan timeout, CancellationToken ct) => raised.WaitAsync(timeout, ct);

    public void Dispose() => raised.Dispose();
}
