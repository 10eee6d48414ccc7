using Messaging.Domain.Messages;
using Messaging.Domain.Participants;
using Messaging.Domain.Saved;

namespace Messaging.Application.Messages;

/// <summary>
/// <see cref="Visibility"/> in SQL: which messages a viewer may see, for statements that name the viewer's membership of the conversation
/// <c>p</c>. Not those that are hidden since joining or clearing, nor those that the viewer has deleted for themselves.
/// </summary>
public static class VisibilitySql
{
    /// <summary>Whether the viewer is a current participant; others see nothing.</summary>
    public const string TakesPart = "p.left_at IS NULL";

    /// <summary>
    /// Whether the viewer receives the conversation's events: not while a message request is pending, though the viewer can read it.
    /// </summary>
    public const string Hears = $"{TakesPart} AND NOT p.pending";

    /// <summary>
    /// Whether the viewer receives an event <c>e</c> that is for the viewer alone: while a message request is pending, only those about the
    /// viewer's own changes.
    /// </summary>
    public const string HearsOwn =
        $"""
        {TakesPart} AND (NOT p.pending
            OR e.type IN ('{SettingsUpdated.Name}', '{MessageSaved.Name}', '{MessageDeleted.Name}'))
        """;

    /// <summary>
    /// Whether the viewer joined before the first message: those who join later receive an event of their own about the conversation.
    /// </summary>
    public const string Founded = "p.joined_seq = 0";

    /// <summary>The seq up to which messages are hidden from the viewer.</summary>
    public const string Start = "p.cleared_seq";

    /// <summary>Whether the viewer may see a message <c>m</c>, unless they have deleted it for themselves.</summary>
    public const string Reached = $"m.seq > {Start}";

    /// <summary>Whether the viewer may see the newest message that a notification <c>n</c> is of, unless they have deleted it.</summary>
    public const string NoticeReached = $"n.seq > {Start}";

    /// <summary>Whether the viewer has deleted a message <c>m</c> for themselves.</summary>
    public const string Hidden = $"{Find} m.seq{Found}";

    /// <summary>Whether the viewer may see a message <c>m</c>.</summary>
    public const string Seen = $"{Reached} AND NOT {Hidden}";

    /// <summary>Whether the viewer may see a message <c>r</c> that another one replies to.</summary>
    public const string ReplySeen = $"r.seq > {Start} AND NOT {Find} r.seq{Found}";

    /// <summary>Whether the viewer may be able to see any message of a conversation <c>c</c>.</summary>
    public const string AnyReached = $"c.last_seq > {Start}";

    /// <summary>Whether the viewer may see the newest message of a conversation <c>c</c>.</summary>
    public const string NewestSeen = $"{AnyReached} AND NOT {Find} c.last_seq{Found}";

    // No look-up for viewers who have never deleted anything for themselves. The condition on the start is redundant, but keeps PostgreSQL
    // from hashing all hidden messages of all users. Index: pk_message_hidden.
    private const string Find =
        $"""
        (p.has_gaps AND EXISTS (
            SELECT FROM message_hidden h
            WHERE h.conversation_id = p.conversation_id AND h.user_id = p.user_id AND h.seq > {Start} AND h.seq =
        """;

    private const string Found = "))";
}
