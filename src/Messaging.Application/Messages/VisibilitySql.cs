using Messaging.Domain.Messages;
using Messaging.Domain.Participants;
using Messaging.Domain.Saved;

namespace Messaging.Application.Messages;

/// <summary>
/// <see cref="Visibility"/> in SQL: which messages a viewer may see, for statements that name the viewer's participation <c>p</c> of the
/// messages' conversation. Neither what was said before one came or has cleared, nor what one has deleted for oneself.
/// </summary>
public static class VisibilitySql
{
    /// <summary>Whether the viewer takes part, without which nothing is to be seen.</summary>
    public const string TakesPart = "p.left_at IS NULL";

    /// <summary>
    /// Whether the viewer hears of the conversation: not before the first message of a stranger is accepted, though one may look at it.
    /// </summary>
    public const string Hears = $"{TakesPart} AND NOT p.pending";

    /// <summary>
    /// Whether the viewer hears an event <c>e</c> of the conversation that is for that one alone: also while the first message of a
    /// stranger waits, what one has made of it oneself.
    /// </summary>
    public const string HearsOwn =
        $"""
        {TakesPart} AND (NOT p.pending
            OR e.type IN ('{SettingsUpdated.Name}', '{MessageSaved.Name}', '{MessageDeleted.Name}'))
        """;

    /// <summary>
    /// Whether the viewer takes part since the conversation was made: who comes later is told of it by an event of one's own.
    /// </summary>
    public const string Founded = "p.joined_seq = 0";

    /// <summary>The seq up to which nothing is the viewer's to see.</summary>
    public const string Start = "p.cleared_seq";

    /// <summary>Whether a message <c>m</c> is the viewer's to see, unless deleted for oneself.</summary>
    public const string Reached = $"m.seq > {Start}";

    /// <summary>Whether the viewer has deleted a message <c>m</c> for oneself.</summary>
    public const string Hidden = $"{Find} m.seq{Found}";

    /// <summary>Whether a message <c>m</c> is the viewer's to see.</summary>
    public const string Seen = $"{Reached} AND NOT {Hidden}";

    /// <summary>Whether a message <c>r</c> that is answered is the viewer's to see.</summary>
    public const string ReplySeen = $"r.seq > {Start} AND NOT {Find} r.seq{Found}";

    /// <summary>Whether anything in a conversation <c>c</c> may be the viewer's to see.</summary>
    public const string AnyReached = $"c.last_seq > {Start}";

    /// <summary>Whether the newest message of a conversation <c>c</c> is the viewer's to see.</summary>
    public const string NewestSeen = $"{AnyReached} AND NOT {Find} c.last_seq{Found}";

    // Who has never deleted anything for oneself is not looked up. That a hidden one comes after the start follows from its seq, but keeps
    // PostgreSQL from reading all that anybody has hidden, to hash it. Index: pk_message_hidden.
    private const string Find =
        $"""
        (p.has_gaps AND EXISTS (
            SELECT FROM message_hidden h
            WHERE h.conversation_id = p.conversation_id AND h.user_id = p.user_id AND h.seq > {Start} AND h.seq =
        """;

    private const string Found = "))";
}
