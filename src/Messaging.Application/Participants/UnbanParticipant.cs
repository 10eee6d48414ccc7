using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Writing;
using Messaging.Domain.Common;

namespace Messaging.Application.Participants;

/// <summary>Lifts a ban: whoever it kept out can be let in again. Lifting what is not there changes nothing.</summary>
public sealed record UnbanParticipant(Actor Actor, ConversationId ConversationId, UserId UserId) : ICommand<Done>;

public sealed class UnbanParticipantHandler(ChangeRunner changes) : IRequestHandler<UnbanParticipant, Done>
{
    public Task<Done> Handle(UnbanParticipant command, CancellationToken ct) =>
        changes.RunAsync(command.Actor, new UnbanChange(command), ct);

    private sealed class UnbanChange(UnbanParticipant command) : Change<Done>(command.ConversationId)
    {
        internal override void Require(ChangeSet set)
        {
            set.RequireMembership(ConversationId, command.Actor);
            set.Bans.Require(ConversationId, command.UserId);
        }

        protected override Done DecideOn(ChangeSet set)
        {
            var (conversation, place) = set.Get(ConversationId, command.Actor);
            conversation.EnsureMayUnban(place?.Participant);
            set.Bans.Lift(ConversationId, command.UserId);
            return default;
        }
    }
}
