using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Reactions;

namespace Messaging.Application.Reactions;

/// <summary>Puts an emoji to a message; where one may have one only, it takes the place of the other.</summary>
public sealed record React(Actor Actor, ConversationId ConversationId, MessageId MessageId, string Emoji)
    : ICommand<Upserted<ReactionItem>>;

public sealed class ReactValidator : AbstractValidator<React>
{
    public ReactValidator() => RuleFor(c => c.Emoji).IsEmoji();
}

public sealed class ReactHandler(ChangeRunner changes) : IRequestHandler<React, Upserted<ReactionItem>>
{
    public Task<Upserted<ReactionItem>> Handle(React command, CancellationToken ct) => changes.RunAsync(
        command.Actor, new ReactChange(command.Actor.RequireUser(), command.ConversationId, command.MessageId, Emoji.Of(command.Emoji)!),
        ct);

    private sealed class ReactChange(UserId user, ConversationId id, MessageId messageId, string emoji)
        : ReactionChange<Upserted<ReactionItem>>(user, id, messageId)
    {
        protected override Upserted<ReactionItem> DecideOn(ChangeSet set)
        {
            var (conversation, place, message) = Find(set);
            var reactions = set.Reactions.Of(ConversationId, message.Seq);
            var moves = reactions.React(conversation.Policy.Reactions, User, emoji, conversation.Next(set.Now));
            Tell(set, conversation, message, moves);
            var item = new ReactionItem(emoji, place.User, reactions.TimeOf(new Reaction(User, emoji)));
            return new Upserted<ReactionItem>(item, moves.Any(move => move.Added));
        }
    }
}
