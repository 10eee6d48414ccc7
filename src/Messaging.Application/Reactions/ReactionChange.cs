using Messaging.Application.Messages;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Messages;
using Messaging.Domain.Reactions;

namespace Messaging.Application.Reactions;

/// <summary>
/// Changes what somebody has put to a message. Under the conversation's lock: none comes to a message that is being deleted.
/// </summary>
public abstract class ReactionChange<TResult>(UserId user, ConversationId id, MessageId messageId) : Change<TResult>(id)
{
    private readonly SoughtMessage sought = new(id, user, messageId);

    protected UserId User => user;

    internal override void Require(ChangeSet set)
    {
        set.Memberships.Require(ConversationId, user);
        set.Reactions.Require(sought);
    }

    /// <summary>What it is decided on; refuses who cannot see the message, and what takes no reactions any more.</summary>
    protected (Conversation Conversation, Membership Place, StoredMessage Message) Find(ChangeSet set)
    {
        var (conversation, place) = set.Get(ConversationId, user);
        var message = set.Messages.Get(sought);
        conversation.EnsureOpenTo(place.Participant);
        message.EnsureNotDeleted();
        return (conversation, place, message);
    }

    protected void Tell(ChangeSet set, Conversation conversation, StoredMessage message, IReadOnlyList<ReactionMove> moves)
    {
        foreach (var move in moves)
            set.Raise(conversation, new MessageReacted(ConversationId), message.Seq,
                new ReactionValues(messageId, move.Emoji, user, move.Added, move.Count));
    }
}
