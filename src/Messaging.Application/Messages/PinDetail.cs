using Dapper;
using Messaging.Domain.Common;

namespace Messaging.Application.Messages;

/// <summary>Whether messages are pinned.</summary>
public sealed class PinDetail : MessageDetail
{
    /// <summary>Takes the pins of messages away. Index: pk_pins.</summary>
    public const string RemoveSql =
        """
        DELETE FROM pins i
        USING unnest($1::uuid[], $2::bigint[]) AS w (conversation_id, seq)
        WHERE i.conversation_id = w.conversation_id AND i.seq = w.seq
        """;

    // Index: pk_pins, the range alone.
    private const string Pinned =
        """
        ARRAY(
            SELECT i.seq
            FROM pins i
            WHERE i.conversation_id = @ConversationId AND i.seq > page.after AND i.seq <= page.upto) AS pinned
        """;

    // Index: pk_pins.
    private const string PlacesSql =
        $"""
        SELECT i.conversation_id, i.seq
        FROM {MessageReader.Places}
        JOIN pins i ON i.conversation_id = k.conversation_id AND i.seq = k.seq
        """;

    // Index: pk_pins.
    private const string PurgeSql = "DELETE FROM pins WHERE conversation_id = $1";

    public override IReadOnlyList<string> Purges { get; } = [PurgeSql];

    internal override string PageColumn => Pinned;

    internal override string PlacesStatement => PlacesSql;

    internal override IReadOnlyList<string> Deletions { get; } = [RemoveSql];

    internal override async Task<Filler> ReadAsync(SqlMapper.GridReader grid, DetailRequests asked)
    {
        if (asked.Page is { } page)
        {
            var seqs = page.Column<long[]>("pinned");
            return (MessageRow message, ref MessageDetails details) => details.Pinned = seqs.Contains(message.Seq);
        }
        var pins = (await grid.ReadAsync<Row>()).ToHashSet();
        return (MessageRow message, ref MessageDetails details) => details.Pinned = pins.Contains(new(message.ConversationId, message.Seq));
    }

    private sealed record Row(ConversationId ConversationId, long Seq);
}
