using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Common;

namespace Messaging.Application.Conversations;

public sealed record GetConversation(Actor Actor, ConversationId Id) : IQuery<ConversationView>;

public sealed class GetConversationHandler(ConversationViewStore views) : IRequestHandler<GetConversation, ConversationView>
{
    public async Task<ConversationView> Handle(GetConversation query, CancellationToken ct) =>
        await views.FindAsync(query.Id, query.Actor, ct) ?? throw CommonErrors.NotFound();
}
