using MediatR;
using Messaging.Application.Common;
using Messaging.Domain.Common;

namespace Messaging.Application.Messages;

public sealed record GetMessage(Actor Actor, ConversationId ConversationId, MessageId Id) : IQuery<MessageView>;

public sealed class GetMessageHandler(MessageReader views) : IRequestHandler<GetMessage, MessageView>
{
    public Task<MessageView> Handle(GetMessage query, CancellationToken ct) =>
        views.GetAsync(query.ConversationId, query.Id, query.Actor, ct);
}
