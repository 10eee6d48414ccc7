using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Common;

namespace Messaging.Application.Conversations;

public sealed record GetConversationBySlug(Actor Actor, string Slug) : IQuery<ConversationView>;

public sealed class GetConversationBySlugHandler(DbSession session, ConversationViewStore views)
    : IRequestHandler<GetConversationBySlug, ConversationView>
{
    // Index: pk_slugs. Whether the caller may see the conversation is decided by the statement that reads it.
    private const string FindSql =
        """
        SELECT conversation_id
        FROM slugs
        WHERE slug = @Slug
        """;

    public async Task<ConversationView> Handle(GetConversationBySlug query, CancellationToken ct)
    {
        var id = await session.QuerySingleOrDefaultAsync<Guid?>(FindSql, new { query.Slug }, ct);
        return id is null
            ? throw CommonErrors.NotFound()
            : await views.FindAsync(new ConversationId(id.Value), query.Actor, ct) ?? throw CommonErrors.NotFound();
    }
}
