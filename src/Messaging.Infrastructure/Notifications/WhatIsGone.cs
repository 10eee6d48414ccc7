using Dapper;
using Messaging.Application.Events;
using Messaging.Application.Messages;
using Messaging.Application.Receipts;
using Messaging.Domain.Conversations;
using Messaging.Domain.Messages;
using Messaging.Domain.Participants;
using Npgsql;

namespace Messaging.Infrastructure.Notifications;

/// <summary>What a page of the feed says is read, cleared, deleted or left: of that nobody is notified any more.</summary>
internal sealed class WhatIsGone
{
    // By the pointers of now, which may be further than the event's. Index: uq_notifications_open, pk_participants.
    private const string ReadSql =
        $"""
        UPDATE notifications n
        SET read_at = now(), delivery = CASE n.delivery WHEN 'pending' THEN 'none' ELSE n.delivery END
        FROM unnest(@ReadIn::uuid[], @ReadBy::text[]) AS k (conversation_id, user_id)
        JOIN participants p ON p.conversation_id = k.conversation_id AND p.user_id = k.user_id
        WHERE n.conversation_id = k.conversation_id AND n.user_id = k.user_id AND n.read_at IS NULL
            AND n.seq <= {UnreadSql.Pointer}
        """;

    // Who has come back keeps what has been raised since. Index: ix_notifications_newest or ix_notifications_conversation; pk_participants.
    private const string LeaveSql =
        $"""
        DELETE FROM notifications n
        USING unnest(@LeftIn::uuid[], @LeftBy::text[]) AS k (conversation_id, user_id)
        LEFT JOIN participants p ON p.conversation_id = k.conversation_id AND p.user_id = k.user_id AND {VisibilitySql.TakesPart}
        WHERE n.user_id = k.user_id AND n.conversation_id = k.conversation_id AND n.seq <= coalesce(p.joined_seq, n.seq)
        """;

    // A mention goes with its message. Index: ix_notifications_conversation, pk_notifications.
    private const string Mentions =
        """
        gone AS MATERIALIZED (
            SELECT DISTINCT k.conversation_id, k.seq, k.user_id
            FROM unnest(@GoneIn::uuid[], @GoneSeqs::bigint[], @GoneFor::text[]) AS k (conversation_id, seq, user_id)
        ),
        mentions AS (
            DELETE FROM notifications n
            USING gone k
            WHERE n.conversation_id = k.conversation_id AND n.seq = k.seq AND n.mention_seq = k.seq
                AND (k.user_id IS NULL OR n.user_id = k.user_id)
            RETURNING n.conversation_id, n.user_id, n.seq
        )
        """;

    // Of several messages, it is one fewer; who was mentioned in it has not counted it there. Index: uq_notifications_open.
    private const string Fewer =
        """
        fewer AS MATERIALIZED (
            SELECT n.id, n.count - count(*) AS count
            FROM gone k
            JOIN notifications n ON n.conversation_id = k.conversation_id AND n.read_at IS NULL AND n.mention_seq = 0
                AND k.seq BETWEEN n.first_seq AND n.seq AND (k.user_id IS NULL OR n.user_id = k.user_id)
            WHERE NOT EXISTS (
                SELECT FROM mentions m
                WHERE m.conversation_id = n.conversation_id AND m.user_id = n.user_id AND m.seq = k.seq)
            GROUP BY n.id
        ),
        counted AS (
            UPDATE notifications n
            SET count = f.count
            FROM fewer f
            WHERE n.id = f.id AND f.count > 0
        )
        """;

    // An entry of which no message is left goes, too. Index: pk_notifications.
    private const string DeleteSql =
        $"""
        WITH {Mentions}, {Fewer}
        DELETE FROM notifications n
        USING fewer f
        WHERE n.id = f.id AND f.count <= 0
        """;

    private readonly List<(Guid Id, string User)> read;
    private readonly List<(Guid Id, string User)> left;
    private readonly List<FeedRow> gone;

    private WhatIsGone(List<(Guid Id, string User)> read, List<(Guid Id, string User)> left, List<FeedRow> gone) =>
        (this.read, this.left, this.gone) = (read, left, gone);

    public bool IsEmpty => read.Count + left.Count + gone.Count == 0;

    // Who sends has read, too: where something was unread until then, what is unread has changed.
    public static WhatIsGone Of(IReadOnlyList<FeedRow> rows) => new(
        Of(rows, row => row.Type switch
        {
            MessageRead.Name => row.Values<Reader>().UserId,
            UnreadChanged.Name or SettingsUpdated.Name => row.UserId,
            _ => null,
        }),
        Of(rows, row => row.Type is ParticipantRemoved.Name or ConversationDeleted.Name ? row.UserId : null),
        [.. rows.Where(row => row.Type == MessageDeleted.Name)]);

    public async Task WithdrawAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        if (read.Count > 0)
            await RunAsync(ReadSql, new { ReadIn = IdsOf(read), ReadBy = UsersOf(read) });
        if (left.Count > 0)
            await RunAsync(LeaveSql, new { LeftIn = IdsOf(left), LeftBy = UsersOf(left) });
        if (gone.Count > 0)
        {
            await RunAsync(DeleteSql, new
            {
                GoneIn = gone.Select(row => row.ConversationId!.Value).ToArray(),
                GoneSeqs = gone.Select(row => row.Seq!.Value).ToArray(),
                GoneFor = gone.Select(row => row.UserId).ToArray(),
            });
        }

        Task RunAsync(string sql, object parameters) =>
            connection.ExecuteAsync(new CommandDefinition(sql, parameters, cancellationToken: ct));
    }

    private static List<(Guid Id, string User)> Of(IReadOnlyList<FeedRow> rows, Func<FeedRow, string?> userOf) =>
    [
        .. from row in rows
           where row.ConversationId is not null
           let user = userOf(row)
           where user is not null
           group row by (row.ConversationId!.Value, user) into same
           select same.Key,
    ];

    private static Guid[] IdsOf(List<(Guid Id, string User)> places) => [.. places.Select(place => place.Id)];

    private static string[] UsersOf(List<(Guid Id, string User)> places) => [.. places.Select(place => place.User)];

    private sealed record Reader
    {
        public string? UserId { get; init; }
    }
}
