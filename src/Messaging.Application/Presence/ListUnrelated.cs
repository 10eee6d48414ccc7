using MediatR;
using Messaging.Application.Common;

namespace Messaging.Application.Presence;

/// <summary>Somebody, and one whose presence that one watches.</summary>
public sealed record Watch(string ViewerId, string OtherId);

/// <summary>Those of the watches that are to end, since the two have nothing to do with each other any more.</summary>
public sealed record ListUnrelated(IReadOnlyCollection<Watch> Watches) : IQuery<IReadOnlyList<Watch>>;

public sealed class ListUnrelatedHandler(DbSession session) : IRequestHandler<ListUnrelated, IReadOnlyList<Watch>>
{
    // Index: those of Related.
    private const string UnrelatedSql =
        $"""
        SELECT pair.viewer_id, pair.other_id
        FROM unnest(@Viewers::text[], @Others::text[]) AS pair (viewer_id, other_id)
        WHERE NOT {Relations.Related}
        """;

    public async Task<IReadOnlyList<Watch>> Handle(ListUnrelated query, CancellationToken ct) => await session.QueryAsync<Watch>(
        UnrelatedSql,
        new
        {
            Viewers = query.Watches.Select(watch => watch.ViewerId).ToArray(),
            Others = query.Watches.Select(watch => watch.OtherId).ToArray(),
        },
        ct);
}
