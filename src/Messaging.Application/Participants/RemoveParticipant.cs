using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Domain.Common;

namespace Messaging.Application.Participants;

/// <summary>Puts somebody out of a group: owner, admins and the service; whoever names oneself leaves.</summary>
public sealed record RemoveParticipant(Actor Actor, ConversationId ConversationId, UserId UserId) : ICommand<Done>;

public sealed class RemoveParticipantHandler(ConversationStore conversations, DepartureStore departures) : IRequestHandler<RemoveParticipant, Done>
{
    public async Task<Done> Handle(RemoveParticipant command, CancellationToken ct)
    {
        var (conversation, actor) = await conversations.GetForUpdateAsync(command.ConversationId, command.Actor, ct);
        conversation.EnsureGroup();
        var target = await conversations.FindParticipantAsync(command.ConversationId, command.UserId, ct) ?? throw CommonErrors.NotFound();

        conversation.Remove(actor, target, await departures.FindSuccessorAsync(conversation, command.UserId, ct));

        await departures.LeaveAsync(conversation, new Removal(command.UserId, command.Actor.UserId, Banned: false), ct);
        return default;
    }
}
