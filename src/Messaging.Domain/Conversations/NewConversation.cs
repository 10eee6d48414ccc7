using Messaging.Domain.Common;
using Messaging.Domain.Participants;
using NodaTime;

namespace Messaging.Domain.Conversations;

/// <summary>A conversation that is being created, with its first participants.</summary>
public sealed class NewConversation
{
    /// <summary>
    /// Direct conversations of the same two, one for each context: all of them follow in one transaction when one of the two blocks the
    /// other. Who has more already keeps them.
    /// </summary>
    public const int LimitOfTwo = 1_000;

    private NewConversation(
        ConversationId id, ConversationType type, UserId? createdBy, IReadOnlyList<Participant> founders, Instant now) =>
        (Id, Type, CreatedBy, Founders, CreatedAt) = (id, type, createdBy, founders, now);

    public ConversationId Id { get; }

    public ConversationType Type { get; }

    /// <summary>Null for the service.</summary>
    public UserId? CreatedBy { get; }

    public IReadOnlyList<Participant> Founders { get; }

    public Instant CreatedAt { get; }

    public UserId? OwnerId { get; private init; }

    public ConversationContext? Context { get; private init; }

    /// <summary>Null for a direct one.</summary>
    public Profile? Profile { get; private init; }

    public RequestState? Request { get; private init; }

    /// <summary>Set for a group, which is in its members' inboxes from the day of its creation.</summary>
    public LocalDate? LastActivityDay => Type is ConversationType.Group ? CreatedAt.InUtc().Date : null;

    /// <summary>A conversation between two users; refuses a user's conversation with themselves.</summary>
    /// <param name="request">Set if the other user has to accept the first message.</param>
    public static NewConversation Direct(UserId opener, UserId other, ConversationContext? context, RequestState? request, Instant now)
    {
        if (opener == other)
            throw ConversationErrors.WithOneself();
        var id = ConversationId.New(now);
        return new(
            id, ConversationType.Direct, opener,
            [Founder(id, opener, ParticipantRole.Member, now), Founder(id, other, ParticipantRole.Member, now)], now)
        {
            Context = context,
            Request = request,
        };
    }

    /// <summary>A group. Its creator is its owner and counts as a participant; the service is not in what it creates.</summary>
    /// <param name="others">The other members, distinct and without the creator.</param>
    /// <param name="limit">The most participants a group may have.</param>
    public static NewConversation Group(
        Actor creator, IReadOnlyCollection<UserId> others, Profile profile, ConversationContext? context, int limit, Instant now)
    {
        var id = ConversationId.New(now);
        var founders = others.Select(user => Founder(id, user, ParticipantRole.Member, now)).ToList();
        if (creator.UserId is { } owner)
            founders.Add(Founder(id, owner, ParticipantRole.Owner, now));
        if (founders.Count < 2)
            throw ConversationErrors.TooFew();
        if (founders.Count > limit)
            throw ConversationErrors.GroupFull(limit);
        return new(id, ConversationType.Group, creator.UserId, founders, now)
        {
            OwnerId = creator.UserId,
            Context = context,
            Profile = profile.WithSlug(id),
        };
    }

    /// <summary>The key of a pair and context, whichever user opens it. Only the last part can contain a space.</summary>
    public static string DirectKey(UserId one, UserId other, ConversationContext? context)
    {
        var (first, second) = one < other ? (one, other) : (other, one);
        return context is null ? $"{first} {second}" : $"{first} {second} {context.Type} {context.Id}";
    }

    /// <summary>The day by which it is in a founder's inbox; null for a user who learns of it by the first message.</summary>
    public LocalDate? FirstDayOf(Participant founder) =>
        LastActivityDay ?? (founder.UserId == CreatedBy ? CreatedAt.InUtc().Date : null);

    private static Participant Founder(ConversationId id, UserId user, ParticipantRole role, Instant now) =>
        new(id, user, role, now, joinedSeq: 0);
}
