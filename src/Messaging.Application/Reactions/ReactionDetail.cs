using Dapper;
using Messaging.Application.Messages;
using Messaging.Domain.Common;

namespace Messaging.Application.Reactions;

/// <summary>What messages have been reacted to with: by emoji, the one that came first before the others.</summary>
public sealed class ReactionDetail : MessageDetail
{
    private const string Columns =
        """
        e.conversation_id, e.seq, e.emoji, e.count, EXISTS (
            SELECT FROM reactions o
            WHERE o.conversation_id = e.conversation_id AND o.seq = e.seq AND o.user_id = @UserId AND o.emoji = e.emoji) AS mine, e.user_ids
        """;

    // Index: pk_reaction_counts, the range alone: a row per emoji, however many have reacted; pk_reactions for whether the viewer has.
    private const string PageSql =
        $"""
        WITH page AS MATERIALIZED ({MessageReader.RangeSql})
        SELECT {Columns}
        FROM page
        JOIN reaction_counts e ON e.conversation_id = @ConversationId AND e.seq > page.after AND e.seq <= page.upto
        ORDER BY e.seq, e.first_at, e.emoji
        """;

    // Index: pk_reaction_counts, pk_reactions.
    private const string PlacesSql =
        $"""
        SELECT {Columns}
        FROM {MessageReader.Places}
        JOIN reaction_counts e ON e.conversation_id = k.conversation_id AND e.seq = k.seq
        ORDER BY e.conversation_id, e.seq, e.first_at, e.emoji
        """;

    // Index: pk_reactions, the messages.
    private const string ForgetSql =
        """
        DELETE FROM reactions r
        USING unnest($1::uuid[], $2::bigint[]) AS w (conversation_id, seq)
        WHERE r.conversation_id = w.conversation_id AND r.seq = w.seq
        """;

    // Index: pk_reaction_counts, the messages.
    private const string ForgetGroupsSql =
        """
        DELETE FROM reaction_counts c
        USING unnest($1::uuid[], $2::bigint[]) AS w (conversation_id, seq)
        WHERE c.conversation_id = w.conversation_id AND c.seq = w.seq
        """;

    // Index: pk_reactions.
    private const string PurgeSql = "DELETE FROM reactions WHERE conversation_id = $1";

    // Index: pk_reaction_counts.
    private const string PurgeGroupsSql = "DELETE FROM reaction_counts WHERE conversation_id = $1";

    public override IReadOnlyList<string> Purges { get; } = [PurgeSql, PurgeGroupsSql];

    internal override string PageStatement => PageSql;

    internal override string PlacesStatement => PlacesSql;

    internal override IReadOnlyList<string> Deletions { get; } = [ForgetSql, ForgetGroupsSql];

    internal override async Task<Filler> ReadAsync(SqlMapper.GridReader grid, DetailRequests asked)
    {
        var reactions = (await grid.ReadAsync<Row>()).ToLookup(row => (row.ConversationId, row.Seq), row => row.ToView());
        return (MessageRow message, ref MessageDetails details) =>
        {
            if (reactions.Contains((message.ConversationId, message.Seq)))
                details.Reactions = [.. reactions[(message.ConversationId, message.Seq)]];
        };
    }

    private sealed record Row(ConversationId ConversationId, long Seq, string Emoji, int Count, bool Mine, string[] UserIds)
    {
        public ReactionView ToView() => new(Emoji, Count, Mine, [.. UserIds.Select(id => new UserId(id))]);
    }
}
