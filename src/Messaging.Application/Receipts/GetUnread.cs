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
        SELECT {UnreadSql.Totals}
        FROM ({UnreadSql.Rows}) r
        """;

    public async Task<UnreadTotal> Handle(GetUnread query, CancellationToken ct)
    {
        var row = await session.QuerySingleAsync<Row>(TotalsSql, new { UserId = query.Actor.RequireUser().Value }, ct);
        return new UnreadTotal(
            row.Conversations, row.Messages, row.Mentions, new UnreadCounts(row.MutedConversations, row.MutedMessages, row.MutedMentions));
    }

    private sealed record Row(
        long Conversations, long Messages, long Mentions, long MutedConversations, long MutedMessages, long MutedMentions);
}
