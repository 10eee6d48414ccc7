using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Participants;

namespace Messaging.Application.Participants;

/// <summary>Makes another participant the owner; the one until then stays an admin.</summary>
public sealed record HandOverGroup(Actor Actor, ConversationId ConversationId, UserId UserId) : ICommand<ConversationView>;

public sealed class HandOverGroupHandler(ChangeRunner changes, ConversationViewStore views)
    : IRequestHandler<HandOverGroup, ConversationView>
{
    public async Task<ConversationView> Handle(HandOverGroup command, CancellationToken ct)
    {
        var (actor, id, user) = (command.Actor, command.ConversationId, command.UserId);
        await changes.RunAsync(
            actor, new RoleChange(actor, id, user, ParticipantRole.Owner, () => ParticipantErrors.Absent("userId", user)), ct);
        return await views.GetChangedAsync(id, actor, ct);
    }
}
