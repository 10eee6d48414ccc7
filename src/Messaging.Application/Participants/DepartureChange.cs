using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Messages;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Participants;

namespace Messaging.Application.Participants;

/// <summary>A change that may end a membership: leaving, removal and bans have the same consequences.</summary>
public abstract class DepartureChange<TResult>(Actor actor, ConversationId id, UserId user) : ConversationChange<TResult>(actor, id)
{
    protected UserId User => user;

    internal override void Require(ChangeSet set)
    {
        base.Require(set);
        set.Memberships.RequireDeparture(ConversationId, user, byChoice: Actor.UserId == user);
    }

    /// <summary>Ends the membership, and records what the conversation decides.</summary>
    protected void Depart(ChangeSet set, Conversation conversation, Participant? actor, Participant target, bool banned)
    {
        var by = Actor.UserId;
        var successor = conversation.Remove(actor, target, set.Memberships.LockedOf(ConversationId), set.Now);
        set.Memberships.Leave(target);
        set.ForgetOwn(ConversationId, target.UserId, after: 0, conversation.LastSeq);
        set.PostSystemMessage(conversation, new SystemMessage(by == user ? "user-left" : "user-removed", by, [user]));
        var removal = new Removal(user, by, banned, conversation.ParticipantCount, conversation.Version);
        set.Raise(conversation, new ParticipantRemoved(ConversationId), seq: null, removal);
        set.Raise(conversation, new ParticipantRemoved(ConversationId, user), seq: null, removal);
        if (successor is not null)
        {
            set.PostSystemMessage(conversation, new SystemMessage("owner-changed", by, [successor.UserId]));
            set.RaiseForEach(conversation, new ParticipantUpdated(ConversationId), by, [successor.UserId]);
            set.Raise(conversation, new ConversationUpdated(ConversationId));
        }
        if (conversation.EndIfEmpty(conversation.Next(set.Now)))
            set.Raise(conversation, new ConversationClosed(ConversationId));
    }
}

/// <summary>Removes a participant; removing oneself is leaving.</summary>
public sealed class RemovalChange(Actor actor, ConversationId id, UserId user) : DepartureChange<Done>(actor, id, user)
{
    protected override Done DecideOn(ChangeSet set)
    {
        var (conversation, place) = set.Get(ConversationId, Actor);
        conversation.EnsureGroup();
        var target = set.Get(ConversationId, User).Place.Participant;
        Depart(set, conversation, place?.Participant, target, banned: false);
        return default;
    }
}

/// <summary>Who no longer takes part, and who has put that one out.</summary>
/// <param name="By">Null for the service, oneself for who left.</param>
/// <param name="ParticipantCount">How many take part after the change.</param>
/// <param name="Version">The conversation's after the change.</param>
public sealed record Removal(UserId UserId, UserId? By, bool Banned, int ParticipantCount, long Version);
