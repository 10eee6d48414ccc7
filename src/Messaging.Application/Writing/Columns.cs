using Messaging.Domain.Common;

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
}
