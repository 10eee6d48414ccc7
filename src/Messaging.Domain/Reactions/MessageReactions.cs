using Messaging.Domain.Conversations;

namespace Messaging.Domain.Reactions;

/// <summary>How many have put one emoji to a message.</summary>
/// <param name="Mine">Whether the one who is about to change the reactions is among them.</param>
public sealed record EmojiCount(string Emoji, int Count, bool Mine);

/// <summary>A reaction that comes or goes.</summary>
/// <param name="Count">How many have this emoji on the message after that.</param>
public sealed record ReactionMove(string Emoji, bool Added, int Count);

/// <summary>
/// What a message has been reacted to with, as one person is about to change it: guards the conversation's rules and the bounds that keep
/// a message readable.
/// </summary>
/// <param name="counts">Every emoji on the message.</param>
public sealed class MessageReactions(IReadOnlyList<EmojiCount> counts)
{
    /// <summary>Different emoji on one message.</summary>
    public const int PerMessage = 50;

    /// <summary>Emoji of one user on one message.</summary>
    public const int PerUser = 20;

    /// <summary>Puts an emoji; what has to go for it goes first. Nothing moves where it is there already.</summary>
    /// <param name="emoji">In the one form of it that is stored.</param>
    public IReadOnlyList<ReactionMove> React(ReactionPolicy policy, string emoji)
    {
        EnsureAllowed(policy, emoji);
        var gone = policy.Mode is ReactionMode.One ? counts.Where(c => c.Mine && c.Emoji != emoji).ToList() : [];
        var moves = gone.ConvertAll(c => new ReactionMove(c.Emoji, Added: false, c.Count - 1));
        var there = counts.FirstOrDefault(c => c.Emoji == emoji);
        if (there is { Mine: true })
            return moves;

        if (counts.Count(c => c.Mine) - gone.Count >= PerUser)
            throw ReactionErrors.TooManyOfOne();
        if (there is null && counts.Count - gone.Count(c => c.Count == 1) >= PerMessage)
            throw ReactionErrors.TooManyOfAll();
        moves.Add(new ReactionMove(emoji, Added: true, (there?.Count ?? 0) + 1));
        return moves;
    }

    /// <summary>Takes one's emoji away, whatever the rules have become; nothing moves where it is not there.</summary>
    public IReadOnlyList<ReactionMove> Unreact(string emoji) =>
        [.. counts.Where(c => c.Mine && c.Emoji == emoji).Select(c => new ReactionMove(emoji, Added: false, c.Count - 1))];

    private static void EnsureAllowed(ReactionPolicy policy, string emoji)
    {
        if (policy.Mode is ReactionMode.None)
            throw ReactionErrors.NoneAllowed();
        if (policy.Allowed is { } allowed && !allowed.Contains(emoji))
            throw ReactionErrors.NotAmongAllowed();
    }
}
