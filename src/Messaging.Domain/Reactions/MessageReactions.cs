using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using NodaTime;

namespace Messaging.Domain.Reactions;

/// <summary>One emoji on a message.</summary>
/// <param name="First">Who put it first, in that order: all of them, or so many that those who are shown are known whoever goes.</param>
public sealed record ReactionGroup(string Emoji, int Count, IReadOnlyList<UserId> First, Instant FirstAt)
{
    /// <summary>How many of those who put it a message names.</summary>
    public const int Shown = 10;

    internal ReactionGroup With(UserId user) => this with { Count = Count + 1, First = First.Count == Count ? [.. First, user] : First };

    internal ReactionGroup Without(UserId user) => this with { Count = Count - 1, First = [.. First.Where(other => other != user)] };
}

/// <summary>An emoji that somebody has put to a message.</summary>
public readonly record struct Reaction(UserId User, string Emoji);

/// <summary>A reaction that comes or goes.</summary>
/// <param name="Count">How many have this emoji on the message after that.</param>
public sealed record ReactionMove(string Emoji, bool Added, int Count);

/// <summary>What a message has been reacted to with: guards the conversation's rules and the bounds that keep a message readable.</summary>
public sealed class MessageReactions
{
    /// <summary>Different emoji on one message.</summary>
    public const int PerMessage = 50;

    /// <summary>Emoji of one user on one message.</summary>
    public const int PerUser = 20;

    private readonly List<ReactionGroup> storedGroups = [];
    private readonly List<ReactionGroup> groups = [];
    private readonly Dictionary<Reaction, Instant> stored = [];
    private readonly Dictionary<Reaction, Instant> reactions = [];

    /// <summary>Emoji that are no more on the message, and were when it was read.</summary>
    public IEnumerable<string> GoneGroups => storedGroups.Where(group => Find(group.Emoji) is null).Select(group => group.Emoji);

    /// <summary>Emoji that stand otherwise than when they were read.</summary>
    public IEnumerable<ReactionGroup> ChangedGroups => groups.Where(group => !storedGroups.Contains(group));

    /// <summary>Reactions that are no more, or others of a later time, and were there when they were read.</summary>
    public IEnumerable<Reaction> Gone => stored.Except(reactions).Select(reaction => reaction.Key);

    /// <summary>Reactions that were not there when they were read.</summary>
    public IEnumerable<KeyValuePair<Reaction, Instant>> Come => reactions.Except(stored);

    /// <summary>An emoji on the message as it stands in the database.</summary>
    public void Restore(ReactionGroup group)
    {
        if (Find(group.Emoji) is { } known)
        {
            // Read for another one who is about to change them: with more of those who put it first.
            if (known.First.Count >= group.First.Count)
                return;
            storedGroups[storedGroups.IndexOf(known)] = groups[groups.IndexOf(known)] = group;
            return;
        }
        storedGroups.Add(group);
        groups.Add(group);
    }

    /// <summary>A reaction of somebody who is about to change them, as it stands in the database.</summary>
    public void Restore(Reaction reaction, Instant at) => stored[reaction] = reactions[reaction] = at;

    /// <summary>When somebody put an emoji that is there.</summary>
    public Instant TimeOf(Reaction reaction) => reactions[reaction];

    /// <summary>Puts an emoji; what has to go for it goes first. Nothing moves where it is there already.</summary>
    /// <param name="emoji">In the one form of it that is stored.</param>
    public IReadOnlyList<ReactionMove> React(ReactionPolicy policy, UserId user, string emoji, Instant at)
    {
        EnsureAllowed(policy, emoji);
        var mine = groups.Where(group => reactions.ContainsKey(new(user, group.Emoji))).ToList();
        var gone = policy.Mode is ReactionMode.One ? mine.Where(group => group.Emoji != emoji).ToList() : [];
        var adds = !reactions.ContainsKey(new(user, emoji));
        if (adds && mine.Count - gone.Count >= PerUser)
            throw ReactionErrors.TooManyOfOne();
        if (adds && Find(emoji) is null && groups.Count - gone.Count(group => group.Count == 1) >= PerMessage)
            throw ReactionErrors.TooManyOfAll();

        var moves = gone.ConvertAll(group => Remove(user, group));
        if (adds)
            moves.Add(Put(user, emoji, at));
        return moves;
    }

    /// <summary>Takes one's emoji away, whatever the rules have become; nothing moves where it is not there.</summary>
    public IReadOnlyList<ReactionMove> Unreact(UserId user, string emoji) =>
        reactions.ContainsKey(new(user, emoji)) ? [Remove(user, Find(emoji)!)] : [];

    private ReactionGroup? Find(string emoji) => groups.Find(group => group.Emoji == emoji);

    private ReactionMove Put(UserId user, string emoji, Instant at)
    {
        reactions.Add(new(user, emoji), at);
        if (Find(emoji) is not { } group)
        {
            groups.Add(new(emoji, 1, [user], at));
            return new(emoji, Added: true, 1);
        }
        groups[groups.IndexOf(group)] = group.With(user);
        return new(emoji, Added: true, group.Count + 1);
    }

    private ReactionMove Remove(UserId user, ReactionGroup group)
    {
        reactions.Remove(new(user, group.Emoji));
        if (group.Count == 1)
            groups.Remove(group);
        else
            groups[groups.IndexOf(group)] = group.Without(user);
        return new(group.Emoji, Added: false, group.Count - 1);
    }

    private static void EnsureAllowed(ReactionPolicy policy, string emoji)
    {
        if (policy.Mode is ReactionMode.None)
            throw ReactionErrors.NoneAllowed();
        if (policy.Allowed is { } allowed && !allowed.Contains(emoji))
            throw ReactionErrors.NotAmongAllowed();
    }
}
