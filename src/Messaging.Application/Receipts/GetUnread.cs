using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Common;

namespace Messaging.Application.Receipts;

/// <summary>The badge: what is unread over all conversations that are not archived, muted ones apart.</summary>
public sealed record GetUnread(Actor Actor) : IQuery<UnreadTotal>;

public sealed class GetUnreadHandler(DbSession session) : IRequestHandler<GetUnread, UnreadTotal>
{
    // Index: ix_participants_inbox, then pk_conversations for each of the user's conversations.
    private const string TotalsSql =
        $"""
        SELECT u.id AS user_id, total.*
        FROM (VALUES (@UserId::text)) u (id)
        CROSS JOIN LATERAL ({UnreadSql.Totals}) total
        """;

    public async Task<UnreadTotal> Handle(GetUnread query, CancellationToken ct)
    {
        var row = await session.QuerySingleAsync<UnreadTotalRow>(TotalsSql, new { UserId = query.Actor.RequireUser().Value }, ct);
        return row.ToTotal();
    }
}
