using Messaging.Application.Common;
using Messaging.Application.Receipts;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Contacts;
using Messaging.Domain.Conversations;
using Messaging.Domain.Messages;
using Messaging.Domain.Participants;
using NodaTime;

namespace Messaging.Application.Contacts;

/// <summary>Applies a changed relationship to a direct conversation of the two users. Under the pair's lock.</summary>
public sealed class PairChange(ConversationId id, Relationship pair) : Change<Done>(id)
{
    internal override void Require(ChangeSet set) => RequireOfTwo(set, ConversationId);

    /// <summary>Requires what the decision reads of the two users.</summary>
    internal static void RequireOfTwo(ChangeSet set, ConversationId id)
    {
        set.Memberships.RequireBoth(id);
        set.Memberships.RequireFirst(id);
    }

    /// <summary>Opens a conversation that waited for an accepted request.</summary>
    internal static void Open(ChangeSet set, Conversation conversation)
    {
        foreach (var user in conversation.Open(set.Memberships.MembersOf(conversation.Id)))
        {
            set.Raise(conversation, new ConversationCreated(conversation.Id, user));
            set.RaiseOwn(
                new UnreadChanged(conversation.Id, user), new UnreadValues { MarkedUnread = true }, conversation.LastEventAt);
            // The settings that the user changed while it was pending.
            set.RaiseOwn(new SettingsUpdated(conversation.Id, user), values: null, conversation.LastEventAt);
        }
    }

    protected override Done DecideOn(ChangeSet set)
    {
        // It may have been deleted in the meantime.
        if (set.Conversations.Find(ConversationId) is not { } conversation)
            return default;
        if (pair.Opens)
            Open(set, conversation);
        else if (pair.IsBlocked)
            conversation.Block(set.Memberships.MembersOf(ConversationId));
        else
        {
            RaiseUnseen(
                set, conversation, conversation.Unblock(set.Memberships.MembersOf(ConversationId)),
                Instant.Max(set.Now, conversation.LastEventAt));
        }
        return default;
    }

    private void RaiseUnseen(ChangeSet set, Conversation conversation, IEnumerable<UnseenMoves> unseen, Instant at)
    {
        foreach (var moves in unseen)
        {
            // A pointer that moved back has a position among the events, so that later reads are delivered after it.
            if (moves is { ReadSeq: { } back, IsBack: true })
            {
                set.Raise(
                    conversation, new MessageRead(ConversationId, Audience: null), seq: null,
                    new PointerValues(moves.UserId, back, at, true), at);
            }
            else if (moves.ReadSeq is { } read)
                set.RaiseOwn(new MessageRead(ConversationId, Audience: null), new PointerValues(moves.UserId, read, at), at);
            if (moves.DeliveredSeq is { } delivered)
                set.RaiseOwn(new MessageDelivered(ConversationId, Audience: null), new PointerValues(moves.UserId, delivered, at), at);
        }
    }
}
