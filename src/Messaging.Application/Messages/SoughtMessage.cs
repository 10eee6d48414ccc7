using Messaging.Application.Writing;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Messages;

/// <summary>A message that is looked for by its id, for somebody who may see it.</summary>
/// <param name="UserId">Null for the service.</param>
public readonly record struct SoughtMessage(ConversationId ConversationId, UserId? UserId, MessageId Id)
{
    /// <summary>
    /// The rows <c>k</c> that are sought, each with its message <c>m</c>. Index: ix_messages_id, in the partitions between the times alone.
    /// </summary>
    public const string Places =
        """
        unnest($1::uuid[], $2::text[], $3::uuid[], $4::timestamptz[], $5::timestamptz[]) AS k (conversation_id, user_id, id, first, last)
        CROSS JOIN LATERAL (
            SELECT o.id, o.seq, o.sender_id, o.type, o.created_at, o.deleted_at, o.version, o.text, o.metadata, o.mentions, o.location, o.reference,
                o.edit_count, o.edited_at
            FROM messages o
            WHERE o.id = k.id AND o.created_at BETWEEN k.first AND k.last AND o.conversation_id = k.conversation_id
            LIMIT 1
        ) m
        """;

    private static readonly Duration Around = Duration.FromMinutes(5);

    /// <summary>Where they are looked for: around the times that the ids tell.</summary>
    public static object[] Near(IReadOnlyCollection<SoughtMessage> sought) => Values(sought, s => s.Id.Time - Around, s => s.Id.Time + Around);

    /// <summary>Everywhere: the service that made an id may have had another clock.</summary>
    public static object[] Anywhere(IReadOnlyCollection<SoughtMessage> sought) =>
        Values(sought, _ => Instant.FromUtc(1970, 1, 1, 0, 0), _ => Instant.FromUtc(9999, 1, 1, 0, 0));

    private static object[] Values(
        IReadOnlyCollection<SoughtMessage> sought, Func<SoughtMessage, Instant> first, Func<SoughtMessage, Instant> last) =>
    [
        Columns.Of(sought, s => s.ConversationId.Value), Columns.Of(sought, s => s.UserId?.Value ?? ""), Columns.Of(sought, s => s.Id.Value),
        Columns.Of(sought, s => first(s).ToDateTimeUtc()), Columns.Of(sought, s => last(s).ToDateTimeUtc()),
    ];
}
