using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Messages;

namespace Messaging.Application.Messages;

/// <summary>
/// Deletes a message: for everyone, which leaves its place with nothing in it, or for oneself alone, which leaves it absent. One that is
/// deleted for everyone already stays as it is.
/// </summary>
/// <param name="Reason">Of a deletion for everyone; by who it was deleted when null.</param>
/// <param name="Versions">Those of which the message must have one; any when null.</param>
public sealed record DeleteMessage(
    Actor Actor, ConversationId ConversationId, MessageId MessageId, DeleteScope Scope, DeleteReason? Reason, IReadOnlyList<long>? Versions)
    : ICommand<Done>;

public sealed class DeleteMessageValidator : AbstractValidator<DeleteMessage>
{
    public DeleteMessageValidator() =>
        RuleFor(c => c.Reason).Null().When(c => c.Scope is DeleteScope.Me)
            .WithMessage("Deleting a message only for yourself takes no reason.");
}

public sealed class DeleteMessageHandler(ChangeRunner changes) : IRequestHandler<DeleteMessage, Done>
{
    public Task<Done> Handle(DeleteMessage command, CancellationToken ct) => changes.RunAsync<Done>(
        command.Actor, command.Scope is DeleteScope.Me ? new HideChange(command) : new DeleteChange(command), ct);

    private sealed class DeleteChange(DeleteMessage command)
        : StoredMessageChange<Done>(command.Actor, command.ConversationId, command.MessageId, command.Versions)
    {
        internal override void Require(ChangeSet set)
        {
            base.Require(set);
            set.Messages.RequireBody(Sought);
        }

        protected override Done DecideOn(ChangeSet set)
        {
            var (conversation, place, message) = Get(set);
            message.EnsureDeletable(conversation, command.Actor, place?.Participant, set.Now);
            if (message.IsDeleted)
                return default;

            var by = command.Actor.UserId;
            set.Delete(
                ConversationId,
                message.Delete(new Deletion(conversation.Next(set.Now), by, command.Reason ?? message.ReasonOf(command.Actor))));
            conversation.Show(message.Seq, new Preview(Text: null, message.Seq));
            set.Raise(conversation, new MessageDeleted(ConversationId), message.Seq, MessageValues.Of(message));
            return default;
        }
    }

    private sealed class HideChange(DeleteMessage command)
        : StoredMessageChange<Done>(command.Actor, command.ConversationId, command.MessageId, command.Versions)
    {
        protected override Done DecideOn(ChangeSet set)
        {
            var (conversation, _, message) = Get(set);
            var user = command.Actor.RequireUser();
            var at = conversation.Next(set.Now);
            set.Messages.Hide(Sought, at);
            set.ForgetOwn(ConversationId, user, message.Seq - 1, message.Seq);
            set.Raise(
                conversation, new MessageDeleted(ConversationId, user), message.Seq,
                MessageValues.Of(message) with { Deleted = new DeletedView(at, user, DeleteReason.User, DeleteScope.Me) });
            // Also of what was deleted for everyone just before: of the two deletions that one may hear this one alone.
            if (message.Type is not MessageType.System && set.Memberships.Find(ConversationId, user)!.Participant.HasUnread(message))
                set.Raise(conversation, new UnreadChanged(ConversationId, user), seq: null, values: null);
            return default;
        }
    }
}
