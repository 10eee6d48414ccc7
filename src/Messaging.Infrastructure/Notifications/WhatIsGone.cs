using Dapper;
using Messaging.Application.Events;
using Messaging.Application.Messages;
using Messaging.Application.Notifications;
using Messaging.Application.Participants;
using Messaging.Application.Receipts;
using Messaging.Domain.Conversations;
using Messaging.Domain.Messages;
using Messaging.Domain.Participants;
using Npgsql;

namespace Messaging.Infrastructure.Notifications;

/// <summary>
/// What a page of the feed says is read, cleared, deleted, left or mentioned no more: of that nobody is notified any more.
/// </summary>
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

    // What is cleared is listed no more: it goes, so that no list passes over it. Index: ix_notifications_place, pk_participants.
    private const string ClearSql =
        $"""
        DELETE FROM notifications n
        USING unnest(@ClearedIn::uuid[], @ClearedBy::text[]) AS k (conversation_id, user_id)
        JOIN participants p ON p.conversation_id = k.conversation_id AND p.user_id = k.user_id
        WHERE n.conversation_id = k.conversation_id AND n.user_id = k.user_id AND NOT {VisibilitySql.NoticeReached}
        """;

    // Who has come back keeps what has been raised since. Index: ix_notifications_place, pk_participants.
    private const string LeaveSql =
        $"""
        DELETE FROM notifications n
        USING unnest(@LeftIn::uuid[], @LeftBy::text[]) AS k (conversation_id, user_id)
        LEFT JOIN participants p ON p.conversation_id = k.conversation_id AND p.user_id = k.user_id AND {VisibilitySql.TakesPart}
        WHERE n.conversation_id = k.conversation_id AND n.user_id = k.user_id AND n.seq <= coalesce(p.joined_seq, n.seq)
        """;

    // Whom a deleted message may have notified: all, or the one for whom alone it is gone. Index: pk_participants.
    private const string Gone =
        """
        SELECT DISTINCT k.conversation_id, k.seq, p.user_id
            FROM unnest(@GoneIn::uuid[], @GoneSeqs::bigint[], @GoneFor::text[]) AS k (conversation_id, seq, user_id)
            JOIN participants p ON p.conversation_id = k.conversation_id AND (k.user_id IS NULL OR p.user_id = k.user_id)
        """;

    // A mention goes with its message. Index: ix_notifications_place.
    private const string MentionsSql =
        $"""
        DELETE FROM notifications n
        USING ({Gone}) g
        WHERE n.conversation_id = g.conversation_id AND n.user_id = g.user_id AND n.mention_seq = g.seq
        """;

    // A mention that an edit took out. Index: pk_messages, pk_participants, ix_notifications_place.
    private const string UnmentionedSql =
        """
        DELETE FROM notifications n
        USING unnest(@GoneIn::uuid[], @GoneSeqs::bigint[], @GoneTimes::timestamptz[]) AS k (conversation_id, seq, created_at)
        JOIN messages m ON m.conversation_id = k.conversation_id AND m.seq = k.seq AND m.created_at = k.created_at
        JOIN participants p ON p.conversation_id = k.conversation_id
        WHERE n.conversation_id = k.conversation_id AND n.user_id = p.user_id AND n.mention_seq = k.seq
            AND NOT (p.user_id = ANY (coalesce(m.mentions, ARRAY[]::text[])) OR '@all' = ANY (coalesce(m.mentions, ARRAY[]::text[])))
        """;

    // Long: the entry, its newest message, and its end. An unread entry is of so many messages fewer, where they were counted; of the
    // newest that is left it says the words. One of which no message is left goes, too. Index: uq_notifications_open, pk_notifications;
    // pk_messages of the months since the conversation began.
    private const string FewerSql =
        $"""
        WITH fewer AS MATERIALIZED (
            SELECT n.id, n.conversation_id, n.seqs - g.seqs AS seqs
            FROM (
                SELECT gone.conversation_id, gone.user_id, range_agg(int8range(gone.seq, gone.seq, '[]')) AS seqs
                FROM ({Gone}) gone
                GROUP BY gone.conversation_id, gone.user_id
            ) g
            JOIN notifications n ON n.conversation_id = g.conversation_id AND n.user_id = g.user_id AND n.mention_seq = 0
                AND n.read_at IS NULL AND n.seqs && g.seqs
        ),
        emptied AS (
            DELETE FROM notifications n
            USING fewer f
            WHERE n.id = f.id AND isempty(f.seqs)
        ),
        newest AS MATERIALIZED (
            SELECT m.conversation_id, m.seq, m.created_at, m.id
            FROM (SELECT DISTINCT conversation_id, upper(seqs) - 1 AS seq FROM fewer WHERE NOT isempty(seqs)) f
            JOIN conversations c ON c.id = f.conversation_id
            CROSS JOIN LATERAL (
                SELECT m.conversation_id, m.seq, m.created_at, m.id
                FROM messages m
                WHERE m.conversation_id = f.conversation_id AND m.seq = f.seq AND m.created_at >= c.created_at
                LIMIT 1
            ) m
        )
        UPDATE notifications n
        SET seqs = f.seqs, seq = m.seq, sent_at = m.created_at, message_id = m.id
        FROM fewer f
        JOIN newest m ON m.conversation_id = f.conversation_id AND m.seq = upper(f.seqs) - 1
        WHERE n.id = f.id
        """;

    private readonly List<(Guid Id, string User)> read;
    private readonly List<(Guid Id, string User)> cleared;
    private readonly List<(Guid Id, string User)> left;
    private readonly List<FeedRow> gone;
    private readonly List<FeedRow> unmentioned;

    private WhatIsGone(IReadOnlyList<FeedRow> rows)
    {
        // Who sends has read, too: where something was unread until then, what is unread has changed.
        read = Of(rows, row => row.Type switch
        {
            MessageRead.Name => row.Values<Reader>().UserId,
            UnreadChanged.Name or SettingsUpdated.Name => row.UserId,
            _ => null,
        });
        cleared = Of(rows, row => row.Type == SettingsUpdated.Name && row.Values<OwnStateValues>().Cleared ? row.UserId : null);
        left = Of(rows, row => row.Type is ParticipantRemoved.Name or ConversationDeleted.Name ? row.UserId : null);
        gone = [.. rows.Where(row => row.Type == MessageDeleted.Name)];
        unmentioned = [.. rows.Where(row => row.Type == MessageEdited.Name && row.Values<MessageValues>().Unmentioned)];
    }

    public bool IsEmpty => read.Count + cleared.Count + left.Count + gone.Count + unmentioned.Count == 0;

    public static WhatIsGone Of(IReadOnlyList<FeedRow> rows) => new(rows);

    public async Task WithdrawAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        foreach (var (sql, parameters) in Statements())
            await connection.ExecuteAsync(new CommandDefinition(sql, parameters, cancellationToken: ct));
    }

    private IEnumerable<(string Sql, object Parameters)> Statements()
    {
        if (read.Count > 0)
            yield return (ReadSql, new { ReadIn = IdsOf(read), ReadBy = UsersOf(read) });
        if (cleared.Count > 0)
            yield return (ClearSql, new { ClearedIn = IdsOf(cleared), ClearedBy = UsersOf(cleared) });
        if (left.Count > 0)
            yield return (LeaveSql, new { LeftIn = IdsOf(left), LeftBy = UsersOf(left) });
        if (unmentioned.Count > 0)
            yield return (UnmentionedSql, PlacesOf(unmentioned));
        if (gone.Count > 0)
            yield return ($"{MentionsSql};{FewerSql}", PlacesOf(gone));
    }

    private static object PlacesOf(List<FeedRow> rows) => new
    {
        GoneIn = rows.Select(row => row.ConversationId!.Value).ToArray(),
        GoneSeqs = rows.Select(row => row.Seq!.Value).ToArray(),
        GoneTimes = rows.Select(row => row.Values<MessageValues>().CreatedAt!.Value.ToDateTimeUtc()).ToArray(),
        GoneFor = rows.Select(row => row.UserId).ToArray(),
    };

    /// <summary>Takes messages out of the entries that collapse them, for those who have an entry of their own of each now.</summary>
    public static Task CountElsewhereAsync(
        NpgsqlConnection connection, IReadOnlyCollection<NotificationEntry> mentions, CancellationToken ct) =>
        mentions.Count == 0 ? Task.CompletedTask : connection.ExecuteAsync(new CommandDefinition(
            FewerSql,
            new
            {
                GoneIn = mentions.Select(entry => entry.To.ConversationId).ToArray(),
                GoneSeqs = mentions.Select(entry => entry.MentionSeq).ToArray(),
                GoneFor = mentions.Select(entry => entry.To.UserId).ToArray(),
            },
            cancellationToken: ct));

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
