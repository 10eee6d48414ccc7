using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Messages;

namespace Messaging.Application.Messages;

/// <summary>Changes a message that is there already.</summary>
/// <param name="versions">Those of which the message must have one; any when null.</param>
public abstract class StoredMessageChange<TResult>(
    Actor actor, ConversationId id, MessageId messageId, IReadOnlyList<long>? versions = null)
    : Change<TResult>(id)
{
    protected SoughtMessage Sought { get; } = new(id, actor.UserId, messageId);

    internal override void Require(ChangeSet set)
    {
        set.RequireMembership(ConversationId, actor);
        set.Messages.Require(Sought);
    }

    /// <summary>The message, its conversation and the actor's place there; refuses, as absent, what the actor cannot see.</summary>
    protected (Conversation Conversation, Membership? Place, StoredMessage Message) Get(ChangeSet set)
    {
        var (conversation, place) = set.Get(ConversationId, actor);
        var message = set.Messages.Get(Sought);
        CommonErrors.EnsureVersion(versions, message.Version);
        return (conversation, place, message);
    }
}
