using Messaging.Application.Common;
using Messaging.Application.Messages;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;

namespace Messaging.Application.Conversations;

/// <summary>Tells of a conversation that was just made, and says in it that it was, within the transaction that did it.</summary>
/// <param name="hearer">Who alone hears of it; null where everybody in it does.</param>
/// <param name="note">Null where nothing is said.</param>
public sealed class FoundingChange(ConversationId id, UserId? hearer = null, SystemMessage? note = null) : Change<Done>(id)
{
    internal override void Require(ChangeSet set)
    {
        set.Memberships.RequireDay(ConversationId);
        set.Memberships.RequireFirst(ConversationId);
    }

    protected override Done DecideOn(ChangeSet set)
    {
        var conversation = set.Get(ConversationId);
        set.Raise(conversation, new ConversationCreated(ConversationId, hearer));
        if (note is not null)
            set.PostSystemMessage(conversation, note);
        return default;
    }
}
