using Messaging.Application.Writing;
using Messaging.Domain.Common;

namespace Messaging.Application.Conversations;

/// <summary>Changes a conversation itself or its people, says so in it and tells of it.</summary>
public abstract class ConversationChange<TResult>(Actor actor, ConversationId id) : Change<TResult>(id)
{
    protected Actor Actor => actor;

    internal override void Require(ChangeSet set)
    {
        set.RequireMembership(ConversationId, actor);
        set.Memberships.RequireDay(ConversationId);
        set.Memberships.RequireFirst(ConversationId);
    }
}
