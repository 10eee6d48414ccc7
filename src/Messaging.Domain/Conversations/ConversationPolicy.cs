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

/// <summary>Which reactions messages take.</summary>
/// <param name="Allowed">The only reactions allowed; null allows any.</param>
public sealed record ReactionPolicy(ReactionMode Mode, IReadOnlyList<string>? Allowed);

/// <summary>The policy in force: the conversation's own settings, and the configured defaults for the rest.</summary>
/// <param name="Posting">Who may send.</param>
/// <param name="Adding">Who may add people.</param>
/// <param name="Pinning">Who may pin; in a direct conversation both may.</param>
/// <param name="History">How much of the earlier history new participants see. Applies to those who join while it is set.</param>
/// <param name="SlowModeSeconds">The minimum time between two messages of one member; 0 for none. Owner and admins are exempt.</param>
/// <param name="EditWindowSeconds">How long an author may edit; null means no limit.</param>
/// <param name="DeleteWindowSeconds">How long an author may delete for everyone; null means no limit.</param>
/// <param name="EditHistory">Who may read earlier versions of a message.</param>
/// <param name="Receipts">Whether others learn who has read and received what.</param>
/// <param name="MentionAll">Who may mention everyone with `@all`.</param>
/// <param name="RetentionDays">Days after which messages should be removed; null means never. Not applied yet.</param>
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
