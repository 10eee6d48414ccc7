namespace Messaging.Domain.Conversations;

/// <summary>Who may do something in a conversation.</summary>
public enum AllowedTo
{
    Everyone,
    Admins,
}

public enum HistoryAccess
{
    /// <summary>Whoever joins sees the whole history.</summary>
    Full,

    /// <summary>Whoever joins sees what comes after.</summary>
    SinceJoin,
}

public enum EditHistoryAccess
{
    Everyone,
    Moderators,
}

public enum ReactionMode
{
    /// <summary>Several reactions of one user to one message.</summary>
    Many,

    /// <summary>One reaction of one user to one message: another one takes its place.</summary>
    One,

    None,
}

/// <summary>How messages may be reacted to.</summary>
/// <param name="Allowed">The only reactions that may be used; any when null.</param>
public sealed record ReactionPolicy(ReactionMode Mode, IReadOnlyList<string>? Allowed);

/// <summary>The rules of a conversation as they are in force: its own where it has any, else the configured ones.</summary>
/// <param name="Posting">Who may send.</param>
/// <param name="Adding">Who may let people in.</param>
/// <param name="Pinning">Who may pin; in a direct conversation both.</param>
/// <param name="History">What those who join see of what was said before. Holds for whoever joins while it stands.</param>
/// <param name="SlowModeSeconds">The least time between two messages of one member; 0 for none. Owner and admins are exempt.</param>
/// <param name="EditWindowSeconds">How long an author may edit; without end when null.</param>
/// <param name="DeleteWindowSeconds">How long an author may delete for everyone; without end when null.</param>
/// <param name="EditHistory">Who may read earlier versions of a message.</param>
/// <param name="Receipts">Whether others learn who has read and received what.</param>
/// <param name="MentionAll">Who may mention everybody at once.</param>
/// <param name="RetentionDays">Days after which messages are to be removed, never when null; nothing is removed by it yet.</param>
public sealed record ConversationPolicy(
    AllowedTo Posting,
    AllowedTo Adding,
    AllowedTo Pinning,
    HistoryAccess History,
    int SlowModeSeconds,
    int? EditWindowSeconds,
    int? DeleteWindowSeconds,
    EditHistoryAccess EditHistory,
    ReactionPolicy Reactions,
    bool Receipts,
    AllowedTo MentionAll,
    int? RetentionDays);
