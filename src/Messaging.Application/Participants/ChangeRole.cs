using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Messages;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Participants;

namespace Messaging.Application.Participants;

/// <summary>Gives a member of a group another role; <c>owner</c> hands the group over.</summary>
public sealed record ChangeRole(Actor Actor, ConversationId ConversationId, UserId UserId, ParticipantRole Role)
    : ICommand<ParticipantView>;

public sealed class ChangeRoleHandler(ChangeRunner changes, ParticipantViewStore people) : IRequestHandler<ChangeRole, ParticipantView>
{
    public async Task<ParticipantView> Handle(ChangeRole command, CancellationToken ct)
    {
        await changes.RunAsync(
            command.Actor, new RoleChange(command.Actor, command.ConversationId, command.UserId, command.Role, CommonErrors.NotFound), ct);
        return await people.ListAsync(command.ConversationId, [command.UserId], ct) is [var changed]
            ? changed : throw CommonErrors.NotFound();
    }
}

/// <summary>Gives somebody who takes part another role.</summary>
/// <param name="absent">Refuses who does not take part.</param>
public sealed class RoleChange(Actor actor, ConversationId id, UserId user, ParticipantRole role, Func<RuleException> absent)
    : ConversationChange<Done>(actor, id)
{
    internal override void Require(ChangeSet set)
    {
        base.Require(set);
        set.Memberships.RequireRole(ConversationId, user);
    }

    protected override Done DecideOn(ChangeSet set)
    {
        var (conversation, place) = set.Get(ConversationId, Actor);
        conversation.EnsureGroup();
        var target = set.Memberships.Find(ConversationId, user)?.Participant ?? throw absent();
        var owner = conversation.OwnerId is { } former ? set.Memberships.Find(ConversationId, former)?.Participant : null;
        if (!conversation.ChangeRole(place?.Participant, target, role, owner))
            return default;

        var (by, isHandover) = (Actor.UserId, role is ParticipantRole.Owner);
        set.PostSystemMessage(
            conversation,
            isHandover ? new SystemMessage("owner-changed", by, [user]) : new SystemMessage("role-changed", by, [user], role));
        set.RaiseForEach(
            conversation, new ParticipantUpdated(ConversationId), by, isHandover && owner is not null ? [user, owner.UserId] : [user]);
        if (isHandover)
            set.Raise(conversation, new ConversationUpdated(ConversationId));
        return default;
    }
}
