using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Writing;
using Messaging.Domain.Common;

namespace Messaging.Application.Participants;

/// <summary>Leaves a group. An owner is followed by the first admin, else by the longest member; the last one out ends it.</summary>
public sealed record LeaveConversation(Actor Actor, ConversationId ConversationId) : ICommand<Done>;

public sealed class LeaveConversationHandler(ChangeRunner changes) : IRequestHandler<LeaveConversation, Done>
{
    public Task<Done> Handle(LeaveConversation command, CancellationToken ct) =>
        changes.RunAsync(command.Actor, new RemovalChange(command.Actor, command.ConversationId, command.Actor.RequireUser()), ct);
}
