using Dapper;

namespace Messaging.Application.Messages;

/// <summary>All that hangs on messages. The statements are put together once.</summary>
public sealed class MessageDetailSet
{
    private readonly MessageDetail[] all;
    private readonly MessageDetail[] uncounted;

    public MessageDetailSet(IEnumerable<MessageDetail> details)
    {
        all = [.. details];
        uncounted = Array.FindAll(all, detail => !detail.CountsPeople);
        Deletions = [.. all.SelectMany(detail => detail.Deletions)];
        PageSql = string.Join(
            ';',
            [
                MessageReader.PageOf(all.Select(detail => detail.PageColumn).Where(column => column.Length > 0)),
                MessageReader.PageMessagesSql,
                .. all.Select(detail => detail.PageStatement).Where(statement => statement.Length > 0),
            ]);
        PlacesSql = string.Join(';', [MessageReader.MessagesSql, .. all.Select(detail => detail.PlacesStatement)]);
        UncountedSql = string.Join(';', [MessageReader.MessagesSql, .. uncounted.Select(detail => detail.PlacesStatement)]);
    }

    /// <summary>What goes with messages that are deleted for everyone, of conversations <c>$1</c> the seqs <c>$2</c>.</summary>
    public IReadOnlyList<string> Deletions { get; }

    /// <summary>The row of a page, its messages and what hangs on them.</summary>
    public string PageSql { get; }

    /// <summary>The messages of several places and what hangs on them.</summary>
    public string PlacesSql { get; }

    /// <summary>The same without the people who have come to them.</summary>
    public string UncountedSql { get; }

    /// <summary>Takes the results of all statements after that of the messages, in their order.</summary>
    internal async Task<Filler[]> ReadAsync(SqlMapper.GridReader grid, DetailRequests asked)
    {
        var read = asked.CountsPeople ? all : uncounted;
        var fillers = new Filler[read.Length];
        for (var i = 0; i < read.Length; i++)
            fillers[i] = await read[i].ReadAsync(grid, asked);
        return fillers;
    }
}
