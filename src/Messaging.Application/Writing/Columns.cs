using Messaging.Domain.Common;
using NodaTime;
using NodaTime.Text;

namespace Messaging.Application.Writing;

/// <summary>Rows as the arrays, one a column, that statements take.</summary>
static class Columns
{
    public static TColumn[] Of<TRow, TColumn>(IReadOnlyCollection<TRow> rows, Func<TRow, TColumn> column)
    {
        var result = new TColumn[rows.Count];
        var i = 0;
        foreach (var row in rows)
            result[i++] = column(row);
        return result;
    }

    public static (Guid[] ConversationIds, string[] UserIds) Split(IReadOnlyCollection<(ConversationId Id, UserId User)> pairs) =>
        (Of(pairs, pair => pair.Id.Value), Of(pairs, pair => pair.User.Value));

    /// <summary>A time that may be none: the driver takes no array of times of which only some are.</summary>
    public static string? Text(Instant? time) => time is { } at ? InstantPattern.ExtendedIso.Format(at) : null;

    /// <summary>Adds what is to be read or written of some rows, where there are any.</summary>
    public static void IfAny<TRow>(IReadOnlyCollection<TRow> rows, Action<IReadOnlyCollection<TRow>> add)
    {
        if (rows.Count > 0)
            add(rows);
    }
}
