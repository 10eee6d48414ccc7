using MediatR;
using Messaging.Application.Common;
using NodaTime;

namespace Messaging.Application.Presence;

/// <summary>Writes down when people were last seen.</summary>
public sealed record RecordLastSeen(IReadOnlyCollection<KeyValuePair<string, Instant>> Seen) : ICommand<Done>;

public sealed class RecordLastSeenHandler(DbSession session) : IRequestHandler<RecordLastSeen, Done>
{
    // pk_users. Locks the rows in the order of their ids: several nodes write the same ones. Somebody's time never goes back, whichever
    // node comes last.
    private const string RecordSql =
        """
        WITH seen AS MATERIALIZED (
            SELECT u.id, s.at
            FROM unnest(@Ids::text[], @Times::timestamptz[]) AS s (id, at)
            JOIN users u ON u.id = s.id
            ORDER BY u.id
            FOR NO KEY UPDATE OF u
        )
        UPDATE users
        SET last_seen_at = greatest(users.last_seen_at, seen.at)
        FROM seen
        WHERE users.id = seen.id
        """;

    public async Task<Done> Handle(RecordLastSeen command, CancellationToken ct)
    {
        await session.ExecuteAsync(
            RecordSql,
            new
            {
                Ids = command.Seen.Select(seen => seen.Key).ToArray(),
                Times = command.Seen.Select(seen => seen.Value.ToDateTimeUtc()).ToArray(),
            },
            ct);
        return default;
    }
}
