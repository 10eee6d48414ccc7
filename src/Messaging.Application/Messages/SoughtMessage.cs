using Messaging.Application.Writing;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Messages;

/// <summary>A message that is looked for by its id, for somebody who may see it.</summary>
/// <param name="UserId">Null for the service.</param>
public readonly record struct SoughtMessage(ConversationId ConversationId, UserId? UserId, MessageId Id)
{
    /// <summary>
    /// Whether a message <c>o</c> is the one that a row <c>k</c> seeks, in whatever conversation. Index: ix_messages_id, in the partitions
    /// between the times alone.
    /// </summary>
    public const string ById = "o.id = k.id AND o.created_at BETWEEN k.first AND k.last";

    /// <summary>The message <c>m</c> that a row <c>k</c> seeks in its conversation. Index: as by the id alone.</summary>
    public const string Message =
        $"""
        CROSS JOIN LATERAL (
            SELECT o.id, o.seq, o.sender_id, o.type, o.created_at, o.deleted_at, o.version, o.text, o.metadata, o.mentions, o.location,
                o.reference, o.edit_count, o.edited_at
            FROM messages o
            WHERE {ById} AND o.conversation_id = k.conversation_id
            LIMIT 1
        ) m
        """;

    /// <summary>The rows <c>k</c> that are sought, each with its message <c>m</c>.</summary>
    public const string Places =
        $"""
        unnest($1::uuid[], $2::text[], $3::uuid[], $4::timestamptz[], $5::timestamptz[]) AS k (conversation_id, user_id, id, first, last)
        {Message}
        """;

    /// <summary>Where they are looked for: around the times that the ids tell.</summary>
    public static object[] Near(IReadOnlyCollection<SoughtMessage> sought) => Values(sought, TimesNear);

    /// <summary>Everywhere: the service that made an id may have had another clock.</summary>
    public static object[] Anywhere(IReadOnlyCollection<SoughtMessage> sought) => Values(sought, _ => TimesAnywhere);

    /// <summary>Finds a message by its id alone: near the time that it tells and, where it is not there, everywhere.</summary>
    public static async Task<T?> FindAsync<T>(MessageId id, Func<(Instant First, Instant Last), Task<T?>> find) =>
        await find(TimesNear(id)) ?? await find(TimesAnywhere);

    private static (Instant First, Instant Last) TimesAnywhere => (Instant.FromUtc(1970, 1, 1, 0, 0), Instant.FromUtc(9999, 1, 1, 0, 0));

    private static (Instant First, Instant Last) TimesNear(MessageId id) =>
        (id.Time - Duration.FromMinutes(5), id.Time + Duration.FromMinutes(5));

    private static object[] Values(IReadOnlyCollection<SoughtMessage> sought, Func<MessageId, (Instant First, Instant Last)> times) =>
    [
        Columns.Of(sought, s => s.ConversationId.Value), Columns.Of(sought, s => s.UserId?.Value ?? ""),
        Columns.Of(sought, s => s.Id.Value), Columns.Of(sought, s => times(s.Id).First.ToDateTimeUtc()),
        Columns.Of(sought, s => times(s.Id).Last.ToDateTimeUtc()),
    ];
}
