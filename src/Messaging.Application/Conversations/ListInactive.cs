using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Conversations;

/// <summary>Open conversations with a context in which nothing was said since a time, some at a time by their ids.</summary>
public sealed record ListInactive(Instant Since, ConversationId After, int Limit) : IQuery<IReadOnlyList<InactiveConversation>>;

/// <summary>One that was looked at.</summary>
/// <param name="IsQuiet">Whether nothing was said in it.</param>
public sealed record InactiveConversation(ConversationId Id, bool IsQuiet);

public sealed class ListInactiveHandler(DbSession session) : IRequestHandler<ListInactive, IReadOnlyList<InactiveConversation>>
{
    // Index: ix_conversations_open_context, from the id on. The time of the last message is in no index, since each send writes it.
    private const string NextSql =
        """
        SELECT id, last_activity_at < @Since AS is_quiet
        FROM conversations
        WHERE context_id IS NOT NULL AND closed_at IS NULL AND id > @After
        ORDER BY id
        LIMIT @Limit
        """;

    public async Task<IReadOnlyList<InactiveConversation>> Handle(ListInactive query, CancellationToken ct) =>
        await session.QueryAsync<InactiveConversation>(NextSql, new { query.Since, After = query.After.Value, query.Limit }, ct);
}
