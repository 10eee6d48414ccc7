using Messaging.Domain.Participants;

namespace Messaging.Application.Participants;

/// <summary>
/// <see cref="OwnState"/> in SQL: how somebody's own state makes a conversation appear, for statements that name the conversation <c>c</c>
/// and the viewer's participation <c>p</c>.
/// </summary>
public static class OwnStateSql
{
    /// <summary>Whether one has muted the conversation just now.</summary>
    public const string Muted = "coalesce(p.muted_until > now(), false)";

    /// <summary>Until when it is muted; null where it is not.</summary>
    public const string MutedUntil = $"CASE WHEN {Muted} THEN p.muted_until END";

    /// <summary>Whether one has archived the conversation.</summary>
    public const string Archived = $"coalesce(c.last_seq <= p.archived_seq OR (p.archived_seq IS NOT NULL AND {Muted}), false)";

    /// <summary>Whether one has not taken it out of the inbox.</summary>
    public const string InInbox = "(p.hidden_seq IS NULL OR c.last_seq > p.hidden_seq)";
}
