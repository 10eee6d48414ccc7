using System.Data.Common;
using Messaging.Application.Writing;
using Messaging.Domain.Common;
using Messaging.Domain.Messages;
using NodaTime;

namespace Messaging.Application.Messages;

/// <summary>Messages that are there already.</summary>
public sealed class MessagePart : ChangePart
{
    // Under the locks. Index: ix_messages_id, in the partitions around the time that the id tells; pk_participants, pk_message_hidden.
    private const string LoadSql =
        $"""
        SELECT k.conversation_id, k.user_id, m.id, m.seq, m.sender_id, m.type, m.created_at, m.deleted_at IS NOT NULL AS is_deleted, m.version
        FROM {SoughtMessage.Places}
        LEFT JOIN participants v ON v.conversation_id = k.conversation_id AND v.user_id = k.user_id AND v.left_at IS NULL
        WHERE k.user_id = '' OR ({MessagePlaceStore.Seen})
        """;

    private readonly HashSet<SoughtMessage> asked = [];
    private readonly HashSet<SoughtMessage> seen = [];
    private readonly Dictionary<MessageId, StoredMessage> messages = [];

    /// <summary>What was not found where its id tells.</summary>
    internal List<SoughtMessage> Missing => [.. asked.Where(sought => !seen.Contains(sought))];

    /// <summary>Asks for a message, for somebody who may see it.</summary>
    public void Ask(SoughtMessage sought) => asked.Add(sought);

    /// <summary>The message as the changes before have left it; refuses, as absent, one that is elsewhere or not the viewer's to see.</summary>
    public StoredMessage Get(SoughtMessage sought) => seen.Contains(sought) ? messages[sought.Id] : throw CommonErrors.NotFound();

    internal override void Load(Round round)
    {
        if (asked.Count > 0)
            round.Read(LoadSql, Read, SoughtMessage.Near(asked));
    }

    internal override void LoadElsewhere(Round round)
    {
        if (Missing is { Count: > 0 } missing)
            round.Read(LoadSql, Read, SoughtMessage.Anywhere(missing));
    }

    private void Read(DbDataReader reader)
    {
        var id = new MessageId(reader.GetGuid(2));
        seen.Add(new(new(reader.GetGuid(0)), reader.GetString(1) is { Length: > 0 } user ? new UserId(user) : null, id));
        messages[id] = new StoredMessage(
            id, reader.GetInt64(3), reader.IsDBNull(4) ? null : new UserId(reader.GetString(4)),
            Enum.Parse<MessageType>(reader.GetString(5), ignoreCase: true), Instant.FromDateTimeUtc(reader.GetDateTime(6)),
            reader.GetBoolean(7), reader.GetInt64(8));
    }
}
