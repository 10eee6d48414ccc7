using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Participants;
using NodaTime;

namespace Messaging.Application.Receipts;

/// <summary>Makes a message the first unread one: the one way in which the read pointer moves back.</summary>
public sealed record MarkUnread(Actor Actor, ConversationId ConversationId, long Seq) : ICommand<PointerState>;

public sealed class MarkUnreadValidator : AbstractValidator<MarkUnread>
{
    public MarkUnreadValidator() =>
        RuleFor(c => c.Seq).GreaterThanOrEqualTo(1).WithMessage("The seq of a message is 1 or more.");
}

public sealed class MarkUnreadHandler(ChangeRunner changes) : IRequestHandler<MarkUnread, PointerState>
{
    public Task<PointerState> Handle(MarkUnread command, CancellationToken ct) =>
        changes.RunAsync(command.Actor, new MarkUnreadChange(command, command.Actor.RequireUser()), ct);

    // The conversation's lock too: that the pointer moved back has its place among what is told of the conversation, since whoever sends
    // later moves it later, and none of one's own messages comes in between.
    private sealed class MarkUnreadChange(MarkUnread command, UserId user) : Change<PointerState>(command.ConversationId)
    {
        internal override void Require(ChangeSet set)
        {
            set.Memberships.Require(ConversationId, user);
            set.Pointers.Require(ConversationId, user, command.Seq - 1);
        }

        protected override PointerState DecideOn(ChangeSet set)
        {
            var (conversation, place) = set.Get(ConversationId, user);
            var pointers = place.Participant.Pointers;
            var (lastRead, lastDelivered) = (pointers.LastReadSeq, pointers.LastDeliveredSeq);
            if (!pointers.MarkUnread(command.Seq, conversation.LastSeq))
                throw CommonErrors.Invalid("seq", "There is no message with this seq, or it is not visible to you.");

            // Where the message lies behind what was read, the pointer moves forward to it, which is marked and told as reading is.
            var (reads, receives) = (pointers.LastReadSeq > lastRead, pointers.LastDeliveredSeq > lastDelivered);
            var now = set.Pointers.TimeOf(ConversationId, user, set.Now + Duration.FromNanoseconds(1_000));
            var move = new PointerMove(
                conversation, user, pointers, pointers.LastReadSeq, pointers.LastDeliveredSeq, reads, receives,
                set.AuthorOf(ConversationId, user, command.Seq - 1), conversation.Next(now), MarksUnread: true);
            place.Participant.MarkedUnread();
            set.Pointers.AddBack(move);
            foreach (var fact in move.Facts())
            {
                if (fact is { MarksUnread: true, Seq: not null })
                    set.Raise(conversation, fact.Event, seq: null, PointerValues.Of(move, fact), now);
                else
                    set.RaiseOwn(fact.Event, PointerValues.Of(move, fact), move.At);
            }
            return new PointerState(pointers.LastReadSeq, pointers.LastDeliveredSeq, UnreadCount: 0, MentionCount: 0);
        }

        protected override PointerState Finish(PointerState decided, ChangeSet set)
        {
            var (messages, mentions) = set.Pointers.UnreadOf(ConversationId, user);
            return decided with { UnreadCount = messages, MentionCount = mentions };
        }
    }
}
