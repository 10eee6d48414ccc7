using System.Data.Common;
using System.Text.Json;
using Dapper;
using Messaging.Application.Common;
using Messaging.Domain.Common;

namespace Messaging.Application.Events;

/// <summary>
/// Where a command leaves, in its own transaction, events that concern no conversation; the sequencer takes them from there, with those
/// that the one writer leaves. They say what has changed, with small values as they were decided; what else clients hear is read when it is
/// told.
/// </summary>
public sealed class Outbox(DbSession session, OutboxSignal signal)
{
    private const string TellSql =
        """
        INSERT INTO outbox (occurred_at, user_id, type, payload)
        VALUES (clock_timestamp(), @UserId, @Type, @Payload::jsonb)
        """;

    /// <summary>Tells one user what concerns no conversation.</summary>
    public Task TellAsync<TData>(IPersonalEvent fact, TData data, CancellationToken ct) =>
        TellAsync(fact.Type, fact.Audience, data, ct);

    /// <summary>Tells services, and no user: what has neither a user nor a conversation is heard by nobody else.</summary>
    public Task TellAsync<TData>(IServiceEvent fact, TData data, CancellationToken ct) => TellAsync(fact.Type, audience: null, data, ct);

    /// <summary>
    /// Tells services the same in a transaction that is no command's. Whoever commits it raises <see cref="OutboxSignal"/> afterwards.
    /// </summary>
    public static Task TellAsync<TData>(DbConnection connection, IServiceEvent fact, IEnumerable<TData> each) => connection.ExecuteAsync(
        TellSql, each.Select(data => new { UserId = (string?)null, fact.Type, Payload = Json(data) }));

    private async Task TellAsync<TData>(string type, UserId? audience, TData data, CancellationToken ct)
    {
        await session.ExecuteAsync(TellSql, new { UserId = audience?.Value, Type = type, Payload = Json(data) }, ct);
        session.AfterCommit(signal.Raise);
    }

    /// <summary>An event's values as they are stored; null for none.</summary>
    public static string? Json<TData>(TData data) => data is null ? null : JsonSerializer.Serialize<object>(data, MessagingJson.Options);
}

/// <summary>Wakes this node's sequencer after a commit that left events in the outbox.</summary>
public sealed class OutboxSignal : Signal;
