using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Writing;
using Messaging.Domain.Common;

namespace Messaging.Application.Participants;

/// <summary>Puts somebody out of a group: owner, admins and the service; whoever names oneself leaves.</summary>
public sealed record RemoveParticipant(Actor Actor, ConversationId ConversationId, UserId UserId) : ICommand<Done>;

public sealed class RemoveParticipantHandler(ChangeRunner changes) : IRequestHandler<RemoveParticipant, Done>
{
    public Task<Done> Handle(RemoveParticipant command, CancellationToken ct) =>
        changes.RunAsync(command.Actor, new RemovalChange(command.Actor, command.ConversationId, command.UserId), ct);
}
