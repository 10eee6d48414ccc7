using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Messages;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Reactions;

/// <summary>Takes one's emoji away from a message, if it is there.</summary>
public sealed record Unreact(Actor Actor, ConversationId ConversationId, MessageId MessageId, string Emoji) : ICommand<Done>;

public sealed class UnreactValidator : AbstractValidator<Unreact>
{
    public UnreactValidator() => RuleFor(c => c.Emoji).IsEmoji();
}

public sealed class UnreactHandler(ConversationStore conversations, MessagePlaceStore places, ReactionStore store, IClock clock)
    : IRequestHandler<Unreact, Done>
{
    // The conversation's lock, as for React.
    public async Task<Done> Handle(Unreact command, CancellationToken ct)
    {
        var (id, user) = (command.ConversationId, command.Actor.RequireUser());
        var (conversation, participant) = await conversations.GetForUpdateAsync(id, command.Actor, ct);
        var place = await places.GetAsync(id, command.MessageId, command.Actor, ct);
        var reactions = await store.LoadAsync(id, place.Seq, user, ct);

        conversation.EnsureOpenTo(participant);
        place.EnsureThere();
        var moves = reactions.Unreact(Emoji.Of(command.Emoji)!);

        await store.SaveAsync(id, command.MessageId, place.Seq, user, moves, clock.GetCurrentInstant(), ct);
        return default;
    }
}
