using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Messages;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using NodaTime;

namespace Messaging.Application.Conversations;

/// <summary>Ends a conversation: it can be read, and nothing can be sent until it is reopened.</summary>
/// <param name="Note">At most 1,000 characters.</param>
/// <param name="QuietSince">Closes only what nothing was said in since then.</param>
public sealed record CloseConversation(
    Actor Actor, ConversationId ConversationId, CloseReason Reason, string? Note, Instant? QuietSince = null)
    : ICommand<ConversationView>;

public sealed class CloseConversationValidator : AbstractValidator<CloseConversation>
{
    public CloseConversationValidator() =>
        RuleFor(c => c.Note).Must(note => note is null || StrictText.Length(note) <= 1000)
            .WithMessage("A note has at most 1,000 characters.");
}

public sealed class CloseConversationHandler(ChangeRunner changes, ConversationViewStore views)
    : IRequestHandler<CloseConversation, ConversationView>
{
    public async Task<ConversationView> Handle(CloseConversation command, CancellationToken ct)
    {
        await changes.RunAsync(command.Actor, new CloseChange(command), ct);
        return await views.GetChangedAsync(command.ConversationId, command.Actor, ct);
    }

    private sealed class CloseChange(CloseConversation command) : ConversationChange<Done>(command.Actor, command.ConversationId)
    {
        protected override Done DecideOn(ChangeSet set)
        {
            var (conversation, place) = set.Get(ConversationId, Actor);
            if (conversation.LastActivityAt >= command.QuietSince)
                return default;
            conversation.EnsureClosable(place?.Participant);

            // The last thing that is said before nothing can be said any more.
            var by = Actor.UserId;
            set.PostSystemMessage(
                conversation, new SystemMessage("conversation-closed", by, Reason: command.Reason.ToString().ToLowerInvariant()));
            conversation.Close(place?.Participant, new Closure(conversation.Next(set.Now), by, command.Reason, command.Note));
            set.Raise(conversation, new ConversationClosed(ConversationId));
            return default;
        }
    }
}
