using System.Data.Common;
using Messaging.Application.Messages;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Messages;
using Messaging.Domain.Reactions;
using NodaTime;

namespace Messaging.Application.Reactions;

/// <summary>What messages have been reacted to with.</summary>
public sealed class ReactionPart(MessagePart found) : ChangePart
{
    // Under the conversations' locks. Of who is named and may go, those who come in for them are known: as many as can go in one batch.
    // Index: as for messages; pk_reaction_counts, pk_reactions: the one message.
    private const string LoadGroupsSql =
        $"""
        SELECT k.conversation_id, m.seq, c.emoji, c.count, c.first_at, CASE WHEN c.count > 10
            AND c.user_ids && string_to_array(k.user_id, ' ')
            THEN ARRAY(
                SELECT r.user_id
                FROM reactions r
                WHERE r.conversation_id = k.conversation_id AND r.seq = m.seq AND r.emoji = c.emoji
                ORDER BY r.created_at, r.user_id
                LIMIT 74)
            ELSE c.user_ids END AS first
        FROM {SoughtMessage.Places}
        JOIN reaction_counts c ON c.conversation_id = k.conversation_id AND c.seq = m.seq
        ORDER BY c.first_at, c.emoji
        """;

    // Index: as for messages; pk_reactions.
    private const string LoadSql =
        $"""
        SELECT k.conversation_id, m.seq, r.user_id, r.emoji, r.created_at
        FROM {SoughtMessage.Places}
        JOIN reactions r ON r.conversation_id = k.conversation_id AND r.seq = m.seq AND r.user_id = k.user_id
        """;

    // Index: pk_reactions.
    private const string RemoveSql =
        """
        DELETE FROM reactions r
        USING unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[]) AS w (conversation_id, seq, user_id, emoji)
        WHERE r.conversation_id = w.conversation_id AND r.seq = w.seq AND r.user_id = w.user_id AND r.emoji = w.emoji
        """;

    private const string AddSql =
        """
        INSERT INTO reactions (conversation_id, seq, user_id, emoji, created_at)
        SELECT w.conversation_id, w.seq, w.user_id, w.emoji, w.at
        FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::timestamptz[]) AS w (conversation_id, seq, user_id, emoji, at)
        """;

    // Index: pk_reaction_counts.
    private const string RemoveGroupsSql =
        """
        DELETE FROM reaction_counts c
        USING unnest($1::uuid[], $2::bigint[], $3::text[]) AS w (conversation_id, seq, emoji)
        WHERE c.conversation_id = w.conversation_id AND c.seq = w.seq AND c.emoji = w.emoji
        """;

    private const string SaveGroupsSql =
        """
        INSERT INTO reaction_counts (conversation_id, seq, emoji, count, user_ids, first_at)
        SELECT w.conversation_id, w.seq, w.emoji, w.count, string_to_array(w.user_ids, ' '), w.first_at
        FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::integer[], $5::text[], $6::timestamptz[])
            AS w (conversation_id, seq, emoji, count, user_ids, first_at)
        ON CONFLICT (conversation_id, seq, emoji) DO UPDATE
        SET count = EXCLUDED.count, user_ids = EXCLUDED.user_ids, first_at = EXCLUDED.first_at
        """;

    private readonly HashSet<SoughtMessage> asked = [];
    private readonly Dictionary<(ConversationId Id, long Seq), MessageReactions> messages = [];

    /// <summary>Asks for what a message has been reacted to with, and with what by the viewer.</summary>
    public void Require(SoughtMessage sought)
    {
        found.Require(sought);
        asked.Add(sought);
    }

    /// <summary>The reactions of a message as the changes before have left them.</summary>
    public MessageReactions Of(ConversationId id, long seq)
    {
        if (!messages.TryGetValue((id, seq), out var reactions))
            messages.Add((id, seq), reactions = new MessageReactions());
        return reactions;
    }

    internal override void Load(Round round) => Load(round, asked, SoughtMessage.Near);

    internal override void LoadElsewhere(Round round) =>
        Load(round, found.Missing.Where(asked.Contains).ToHashSet(), SoughtMessage.Anywhere);

    internal override void Forget(ConversationId id, StoredMessage message) => messages.Remove((id, message.Seq));

    internal override void Write(Round round)
    {
        AddRows(
            of => of.Gone,
            gone => round.Add(
                RemoveSql, Columns.Of(gone, row => row.Id.Value), Columns.Of(gone, row => row.Seq),
                Columns.Of(gone, row => row.Value.User.Value),
                Columns.Of(gone, row => row.Value.Emoji)));
        AddRows(
            of => of.Come,
            come => round.Add(
                AddSql, Columns.Of(come, row => row.Id.Value), Columns.Of(come, row => row.Seq),
                Columns.Of(come, row => row.Value.Key.User.Value), Columns.Of(come, row => row.Value.Key.Emoji),
                Columns.Of(come, row => row.Value.Value.ToDateTimeUtc())));
        AddRows(
            of => of.GoneGroups,
            gone => round.Add(
                RemoveGroupsSql, Columns.Of(gone, row => row.Id.Value), Columns.Of(gone, row => row.Seq),
                Columns.Of(gone, row => row.Value)));
        AddRows(
            of => of.ChangedGroups,
            changed => round.Add(
                SaveGroupsSql, Columns.Of(changed, row => row.Id.Value), Columns.Of(changed, row => row.Seq),
                Columns.Of(changed, row => row.Value.Emoji), Columns.Of(changed, row => row.Value.Count),
                Columns.Of(changed, row => string.Join(' ', row.Value.First.Take(ReactionGroup.Shown))),
                Columns.Of(changed, row => row.Value.FirstAt.ToDateTimeUtc())));
    }

    private void AddRows<T>(
        Func<MessageReactions, IEnumerable<T>> rowsOf, Action<IReadOnlyCollection<(ConversationId Id, long Seq, T Value)>> add)
    {
        var rows = messages.SelectMany(message => rowsOf(message.Value).Select(row => (message.Key.Id, message.Key.Seq, row))).ToList();
        if (rows.Count > 0)
            add(rows);
    }

    private void Load(Round round, HashSet<SoughtMessage> sought, Func<IReadOnlyCollection<SoughtMessage>, object[]> where)
    {
        if (sought.Count == 0)
            return;
        var values = where(sought);
        round.Read(LoadGroupsSql, ReadGroup, values);
        round.Read(LoadSql, ReadReaction, values);
    }

    private void ReadGroup(DbDataReader reader) => Of(new(reader.GetGuid(0)), reader.GetInt64(1)).Restore(new ReactionGroup(
        reader.GetString(2), reader.GetInt32(3), [.. reader.GetFieldValue<string[]>(5).Select(user => new UserId(user))],
        Instant.FromDateTimeUtc(reader.GetDateTime(4))));

    private void ReadReaction(DbDataReader reader) => Of(new(reader.GetGuid(0)), reader.GetInt64(1)).Restore(
        new Reaction(new UserId(reader.GetString(2)), reader.GetString(3)), Instant.FromDateTimeUtc(reader.GetDateTime(4)));
}

public static class ReactionsOfChangeSet
{
    extension(ChangeSet set)
    {
        public ReactionPart Reactions => set.Part<ReactionPart>();
    }
}
