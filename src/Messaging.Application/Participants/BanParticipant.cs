using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Messages;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Participants;

/// <summary>Keeps somebody out of a group until the ban is lifted, and puts that one out who is in.</summary>
public sealed record BanParticipant(Actor Actor, ConversationId ConversationId, UserId UserId) : ICommand<BannedParticipant>;

/// <summary>The ban as it stands.</summary>
/// <param name="Created">False where it was there already.</param>
public sealed record BannedParticipant(BanView Ban, bool Created);

/// <summary>A banned user: who banned them, and when.</summary>
/// <param name="By">Null for the service.</param>
public sealed record BanView(SenderView User, SenderView? By, Instant CreatedAt);

public sealed class BanParticipantHandler(ChangeRunner changes) : IRequestHandler<BanParticipant, BannedParticipant>
{
    public Task<BannedParticipant> Handle(BanParticipant command, CancellationToken ct) =>
        changes.RunAsync(command.Actor, new BanChange(command.Actor, command.ConversationId, command.UserId), ct);

    private sealed class BanChange(Actor actor, ConversationId id, UserId user) : DepartureChange<BannedParticipant>(actor, id, user)
    {
        internal override void Require(ChangeSet set)
        {
            base.Require(set);
            set.Bans.Require(ConversationId, User);
        }

        protected override BannedParticipant DecideOn(ChangeSet set)
        {
            var (conversation, place) = set.Get(ConversationId, Actor);
            var target = set.Memberships.Find(ConversationId, User)?.Participant;
            conversation.EnsureMayBan(place?.Participant, User, target);
            set.Bans.EnsureKnown(ConversationId, User);

            if (target is not null)
                Depart(set, conversation, place?.Participant, target, banned: true);
            return set.Bans.Find(ConversationId, User) is { } ban
                ? new BannedParticipant(ban, Created: false)
                : new BannedParticipant(set.Bans.Put(ConversationId, User, place?.User, conversation.Next(set.Now)), Created: true);
        }
    }
}
