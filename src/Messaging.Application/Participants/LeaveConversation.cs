using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Domain.Common;

namespace Messaging.Application.Participants;

/// <summary>Leaves a group. An owner is followed by the first admin, else by the longest member; the last one out ends it.</summary>
public sealed record LeaveConversation(Actor Actor, ConversationId ConversationId) : ICommand<Done>;

public sealed class LeaveConversationHandler(ConversationStore conversations, DepartureStore departures) : IRequestHandler<LeaveConversation, Done>
{
    public async Task<Done> Handle(LeaveConversation command, CancellationToken ct)
    {
        var user = command.Actor.RequireUser();
        var (conversation, actor) = await conversations.GetForUpdateAsync(command.ConversationId, command.Actor, ct);

        conversation.Leave(actor!, await departures.FindSuccessorAsync(conversation, user, ct));

        await departures.LeaveAsync(conversation, new Removal(user, user, Banned: false), ct);
        return default;
    }
}
