using System.Data.Common;
using Messaging.Application.Messages;
using Messaging.Domain.Common;
using Messaging.Domain.Participants;
using NodaTime;

namespace Messaging.Application.Writing;

/// <summary>Somebody's place in a conversation, and how that one is shown.</summary>
public sealed record Membership(Participant Participant, SenderView User)
{
    internal static Membership Read(DbDataReader reader)
    {
        var (id, user) = (new ConversationId(reader.GetGuid(0)), new UserId(reader.GetString(1)));
        return new Membership(
            Participant.Restore(
                id, user, Enum.Parse<ParticipantRole>(reader.GetString(2), ignoreCase: true),
                Instant.FromDateTimeUtc(reader.GetDateTime(3)), reader.GetInt64(4),
                reader.IsDBNull(5) ? null : Instant.FromDateTimeUtc(reader.GetDateTime(5)), reader.GetInt64(8)),
            new SenderView(user, reader.IsDBNull(6) ? null : reader.GetString(6), reader.IsDBNull(7) ? null : reader.GetString(7)));
    }
}

/// <summary>Somebody's pointers in a conversation.</summary>
/// <param name="NewestSender">Of a large group, who wrote the newest message of those that are marked; null for the service.</param>
public sealed record MemberPointers(Pointers Pointers, UserId? NewestSender)
{
    internal static MemberPointers Read(DbDataReader reader) => new(
        new Pointers(
            reader.GetInt64(2), reader.GetInt64(3), isPending: reader.GetBoolean(4), showsReads: reader.GetBoolean(5), reader.GetInt64(7)),
        reader.IsDBNull(6) ? null : new UserId(reader.GetString(6)));
}

/// <summary>A sender's own name for a message.</summary>
/// <param name="Sender">Null for the service.</param>
public readonly record struct KeyOfMessage(ConversationId ConversationId, UserId? Sender, string Key)
{
    internal static KeyOfMessage Read(DbDataReader reader) => new(
        new ConversationId(reader.GetGuid(0)), reader.GetString(1) is { Length: > 0 } sender ? new UserId(sender) : null,
        reader.GetString(2));
}

/// <summary>The message that has a key already.</summary>
public sealed record StoredKey(long Seq, byte[] Fingerprint);
