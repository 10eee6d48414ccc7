using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Domain.Common;
using Messaging.Domain.Participants;

namespace Messaging.Application.Participants;

/// <summary>Makes another participant the owner; the one until then stays an admin.</summary>
public sealed record HandOverGroup(Actor Actor, ConversationId ConversationId, UserId UserId) : ICommand<ConversationView>;

public sealed class HandOverGroupHandler(
    ConversationStore conversations, ConversationViewStore views, IRequestHandler<ChangeRole, ParticipantView> roles)
    : IRequestHandler<HandOverGroup, ConversationView>
{
    public async Task<ConversationView> Handle(HandOverGroup command, CancellationToken ct)
    {
        var (conversation, _) = await conversations.GetForUpdateAsync(command.ConversationId, command.Actor, ct);
        conversation.EnsureGroup();
        if (await conversations.FindParticipantAsync(command.ConversationId, command.UserId, ct) is null)
            throw ParticipantErrors.Absent("userId", command.UserId);

        await roles.Handle(new ChangeRole(command.Actor, command.ConversationId, command.UserId, ParticipantRole.Owner), ct);

        return (await views.FindAsync(command.ConversationId, command.Actor, ct))!;
    }
}
