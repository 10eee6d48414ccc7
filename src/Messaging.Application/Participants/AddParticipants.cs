using FluentValidation;
using MediatR;
using Messaging.Application.Common;
using Messaging.Application.Contacts;
using Messaging.Application.Conversations;
using Messaging.Application.Messages;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Participants;
using NodaTime;

namespace Messaging.Application.Participants;

/// <summary>Lets people into a group: all of them or none. Those who are in already stay as they are.</summary>
/// <param name="Role">Admin or member, the latter when absent.</param>
public sealed record AddParticipants(Actor Actor, ConversationId ConversationId, IReadOnlyList<UserId> UserIds, ParticipantRole? Role)
    : ICommand<Page<ParticipantView>>;

/// <summary>Who came in or has another role, and by whom.</summary>
/// <param name="ParticipantCount">How many took part after the change; null in events of releases that did not say so.</param>
/// <param name="Version">The conversation's after the change; null in the same events.</param>
public sealed record ParticipantChange(ParticipantView Participant, UserId? By, int? ParticipantCount, long? Version);

public sealed class AddParticipantsValidator : AbstractValidator<AddParticipants>
{
    public AddParticipantsValidator()
    {
        RuleFor(c => c.UserIds).Must(ids => ids.Count is >= 1 and <= 1000 && ids.Distinct().Count() == ids.Count)
            .WithMessage("Between 1 and 1,000 users are expected, each named once.");
        RuleFor(c => c.Role).Must(role => role is not ParticipantRole.Owner)
            .WithMessage("The role is 'admin' or 'member'; a conversation has one owner.");
    }
}

public sealed class AddParticipantsHandler(
    ChangeRunner changes, ConversationStore conversations, ParticipantViewStore people, InboxPlaceStore places, LimitSettings limits,
    IClock clock)
    : IRequestHandler<AddParticipants, Page<ParticipantView>>
{
    private const int Many = 50;

    public async Task<Page<ParticipantView>> Handle(AddParticipants command, CancellationToken ct)
    {
        // It locks all whom it names: not so many for who has no part in the conversation.
        if (command.UserIds.Count > Many)
            await conversations.GetAsync(command.ConversationId, command.Actor, ct);
        var added = await changes.RunAsync(command.Actor, new ArrivalChange(command, limits), ct);
        places.Suspect(added, clock.GetCurrentInstant());
        return new Page<ParticipantView>(await people.ListAsync(command.ConversationId, command.UserIds, ct), NextCursor: null);
    }

    private sealed class ArrivalChange(AddParticipants command, LimitSettings limits)
        : ConversationChange<IReadOnlyList<UserId>>(command.Actor, command.ConversationId)
    {
        private readonly ParticipantRole role = command.Role ?? ParticipantRole.Member;

        // They may be a thousand; and who has come is not asked for by the others of a batch.
        public override bool GoesAlone => true;

        internal override void Require(ChangeSet set)
        {
            base.Require(set);
            set.Newcomers.Require(ConversationId, command.UserIds);
            set.Acquaintances.Require(ConversationId, Actor, command.UserIds);
        }

        protected override IReadOnlyList<UserId> DecideOn(ChangeSet set)
        {
            var (conversation, place) = set.Get(ConversationId, Actor);
            var newcomers = command.UserIds.Select(user => set.Newcomers.Of(ConversationId, user)).ToList();
            var coming = newcomers.FindAll(one => !one.TakesPart);
            var added = coming.ConvertAll(one => one.UserId);
            var returning = newcomers.Where(one => one.WasInBefore).Select(one => one.UserId).ToHashSet();
            conversation.EnsureMayAdd(place?.Participant, role, added.Count, limits.GroupSize);
            Newcomer.EnsureWelcome(newcomers, Actor, set.Now, PlaceOf);
            set.Acquaintances.EnsureMayAdd(Actor, added, set.Now, PlaceOf);
            if (added.Count == 0)
                return added;

            var seats = coming.ConvertAll(one => conversation.NewParticipant(one.UserId, role, set.Now));
            var owner = conversation.Add(place?.Participant, role, seats, limits.GroupSize);
            foreach (var (one, seat) in coming.Zip(seats))
                set.Memberships.Arrive(seat, one.ClearedIn(conversation));
            // Those who come ignore what is told of a conversation that they do not have yet: what they are given then counts all of them.
            set.RaiseForEach(conversation, new ParticipantAdded(ConversationId), Actor.UserId, added);
            foreach (var user in added.Order())
            {
                set.Raise(conversation, new ConversationCreated(ConversationId, user));
                if (returning.Contains(user))
                    set.RaiseOwn(new SettingsUpdated(ConversationId, user), values: null, conversation.LastEventAt);
            }
            set.PostSystemMessage(conversation, new SystemMessage("user-joined", Actor.UserId, added));
            if (owner is not null)
            {
                set.PostSystemMessage(conversation, new SystemMessage("owner-changed", Actor.UserId, [owner.UserId]));
                set.Raise(conversation, new ConversationUpdated(ConversationId));
            }
            return added;
        }

        private string PlaceOf(UserId user) => $"userIds/{command.UserIds.ToList().IndexOf(user)}";
    }
}
