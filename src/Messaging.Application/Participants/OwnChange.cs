using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Messages;
using Messaging.Domain.Participants;

namespace Messaging.Application.Participants;

/// <summary>Changes what somebody has made of a conversation for oneself. Holds one's own place alone, never the conversation.</summary>
/// <param name="recounts">Whether what is unread may count otherwise afterwards.</param>
public abstract class OwnChange(ConversationId id, UserId user, bool recounts) : Change<bool>(id, user)
{
    internal override void Require(ChangeSet set) => set.Memberships.RequireOwn(ConversationId, user);

    protected override bool DecideOn(ChangeSet set)
    {
        var conversation = set.Get(ConversationId);
        var who = (set.Memberships.Find(ConversationId, user) ?? throw CommonErrors.NotFound()).Participant;
        set.Save(who, Apply(who.Own, conversation, set));
        set.RaiseOwn(new SettingsUpdated(ConversationId, user), Values);
        if (recounts)
            set.RaiseOwn(new UnreadChanged(ConversationId, user), values: null);
        return true;
    }

    /// <summary>What the event keeps of the moment; null for nothing.</summary>
    protected virtual OwnStateValues? Values => null;

    protected abstract OwnState Apply(OwnState state, Conversation conversation, ChangeSet set);
}

/// <summary>What an event of one's own settings keeps of the moment.</summary>
public sealed record OwnStateValues
{
    /// <summary>Whether one has cleared the history.</summary>
    public bool Cleared { get; init; }
}
