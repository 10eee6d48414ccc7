using Dapper;
using Messaging.Application.Attachments;

namespace Messaging.Application.Messages;

/// <summary>
/// Something that hangs on messages: how it is read for a page of them and put into what a viewer sees, and what of it goes with a message
/// or with all of a conversation. One file in its module, found by scanning. It is one for the process and keeps nothing.
/// </summary>
public abstract class MessageDetail
{
    /// <summary>
    /// Reads it for a page, which is a range: of the rows of <see cref="MessageReader.RangeSql"/>, with its parameters. Empty where
    /// <see cref="PageColumn"/> tells it all.
    /// </summary>
    internal virtual string PageStatement => "";

    /// <summary>A column of the page's own row, of <c>page</c>: spares what is little a statement. Empty for none.</summary>
    internal virtual string PageColumn => "";

    /// <summary>Reads it for messages of several places, the rows of <see cref="MessageReader.Places"/>, with their parameters.</summary>
    internal abstract string PlacesStatement { get; }

    /// <summary>Whether it counts people who have come to a message: of what nobody can have come to it is not read.</summary>
    internal virtual bool CountsPeople => false;

    /// <summary>What of it goes with messages that are deleted for everyone, of conversations <c>$1</c> the seqs <c>$2</c>.</summary>
    internal virtual IReadOnlyList<string> Deletions => [];

    /// <summary>What of it goes with all messages of a conversation <c>$1</c> that was deleted for everyone.</summary>
    public virtual IReadOnlyList<string> Purges => [];

    /// <summary>Takes the result of its statement, if it has one, and comes to what fills it in for each message.</summary>
    internal abstract Task<Filler> ReadAsync(SqlMapper.GridReader grid, DetailRequests asked);
}

/// <summary>Fills in what hangs on a message.</summary>
internal delegate void Filler(MessageRow message, ref MessageDetails details);

/// <summary>For what it is read what hangs on messages.</summary>
/// <param name="Audience">For whom addresses of files are made.</param>
/// <param name="CountsPeople">Whether it is counted who has come to them.</param>
internal sealed record DetailRequests(UrlAudience Audience, bool CountsPeople = true)
{
    /// <summary>Their page, where they are one.</summary>
    public PageRange? Page { get; init; }

    /// <summary>Whether the viewer receives the page.</summary>
    public bool Receives { get; init; }

    /// <summary>The seq that the viewer's delivered pointer has to be moved to by that; null where it is there already.</summary>
    public long? Received { get; set; }
}

/// <summary>A page of a conversation: the messages after a seq, up to another one, with the columns of what hangs on them.</summary>
internal sealed class PageRange(IDictionary<string, object?> row)
{
    public long After { get; } = (long)row["after"]!;

    public long Upto { get; } = (long)row["upto"]!;

    public long LastSeq { get; } = (long)row["last_seq"]!;

    public long ClearedSeq { get; } = (long)row["cleared_seq"]!;

    public T Column<T>(string name) => (T)row[name]!;
}
