using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Writing;
using Messaging.Domain.Common;

namespace Messaging.Application.Reactions;

/// <summary>Takes one's emoji away from a message, if it is there.</summary>
public sealed record Unreact(Actor Actor, ConversationId ConversationId, MessageId MessageId, string Emoji) : ICommand<Done>;

public sealed class UnreactValidator : AbstractValidator<Unreact>
{
    public UnreactValidator() => RuleFor(c => c.Emoji).IsEmoji();
}

public sealed class UnreactHandler(ChangeRunner changes) : IRequestHandler<Unreact, Done>
{
    public Task<Done> Handle(Unreact command, CancellationToken ct) => changes.RunAsync(
        command.Actor, new UnreactChange(command.Actor.RequireUser(), command.ConversationId, command.MessageId, Emoji.Of(command.Emoji)!),
        ct);

    private sealed class UnreactChange(UserId user, ConversationId id, MessageId messageId, string emoji)
        : ReactionChange<Done>(user, id, messageId)
    {
        protected override Done DecideOn(ChangeSet set)
        {
            var (conversation, _, message) = Find(set);
            Tell(set, conversation, message, set.Reactions.Of(ConversationId, message.Seq).Unreact(User, emoji));
            return default;
        }
    }
}
