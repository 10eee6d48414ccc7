using Messaging.Domain.Common;
using Messaging.Domain.Conversations;
using Messaging.Domain.Participants;

namespace Messaging.Domain.Messages;

/// <summary>Whom a message may mention, and for whom that counts.</summary>
public static class MentionRules
{
    /// <summary>Mentions everybody who takes part, in place of a user id; a user of this id cannot be mentioned alone.</summary>
    public static readonly UserId Everybody = new("@all");

    private const int Few = 10;

    /// <summary>Whether everybody is mentioned, or so many people that it costs about as much.</summary>
    public static bool AreMany(IEnumerable<UserId> mentions)
    {
        var users = mentions.ToHashSet();
        return users.Count > Few || users.Contains(Everybody);
    }

    /// <summary>How many people are mentioned.</summary>
    /// <param name="everybody">How many people everybody is.</param>
    public static int CountOf(IReadOnlyList<UserId> counted, int everybody) =>
        counted.Contains(Everybody) ? everybody : counted.Count;

    /// <summary>Refuses mentions of who does not take part, and of everybody where that is for owner and admins.</summary>
    /// <param name="by">Null for the service.</param>
    /// <param name="present">The mentioned users who are participants.</param>
    public static void Ensure(Conversation conversation, Participant? by, IReadOnlyList<UserId> mentions, IReadOnlySet<UserId> present)
    {
        for (var i = 0; i < mentions.Count; i++)
        {
            if (mentions[i] == Everybody)
                conversation.EnsureMayMentionAll(by);
            else if (!present.Contains(mentions[i]))
                throw MessageErrors.MentionOfStranger(i, mentions[i]);
        }
    }

    /// <summary>
    /// For whom the mentions count: one entry for everybody in place of all others, none for the sender, none in system messages.
    /// </summary>
    public static IReadOnlyList<UserId> Counted(IReadOnlyList<UserId> mentions, MessageType type, UserId? sender) =>
        type is MessageType.System ? []
        : mentions.Contains(Everybody) ? [Everybody]
        : [.. mentions.Where(mentioned => mentioned != sender)];
}
