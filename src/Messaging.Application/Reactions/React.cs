using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Application.Messages;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Reactions;

/// <summary>Puts an emoji to a message; where one may have one only, it takes the place of the other.</summary>
public sealed record React(Actor Actor, ConversationId ConversationId, MessageId MessageId, string Emoji) : ICommand<PutReaction>;

/// <summary>The reaction as it stands.</summary>
/// <param name="Created">False for one that was there.</param>
public sealed record PutReaction(ReactionItem Reaction, bool Created);

public sealed class ReactValidator : AbstractValidator<React>
{
    public ReactValidator() => RuleFor(c => c.Emoji).IsEmoji();
}

public sealed class ReactHandler(ConversationStore conversations, MessagePlaceStore places, ReactionStore store, IClock clock)
    : IRequestHandler<React, PutReaction>
{
    // The conversation's lock: reactions are counted one after the other, and none comes to a message that is being deleted.
    public async Task<PutReaction> Handle(React command, CancellationToken ct)
    {
        var (id, user, emoji) = (command.ConversationId, command.Actor.RequireUser(), Emoji.Of(command.Emoji)!);
        var (conversation, participant) = await conversations.GetForUpdateAsync(id, command.Actor, ct);
        var place = await places.GetAsync(id, command.MessageId, command.Actor, ct);
        var reactions = await store.LoadAsync(id, place.Seq, user, ct);

        conversation.EnsureOpenTo(participant);
        place.EnsureThere();
        var moves = reactions.React(conversation.Policy!.Reactions, emoji);

        await store.SaveAsync(id, command.MessageId, place.Seq, user, moves, clock.GetCurrentInstant(), ct);
        return new PutReaction(await store.GetAsync(id, place.Seq, user, emoji, ct), moves.Any(move => move.Added));
    }
}
