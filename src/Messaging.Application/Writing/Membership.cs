using System.Data.Common;
using Messaging.Application.Messages;
using Messaging.Domain.Common;
using Messaging.Domain.Participants;
using NodaTime;

namespace Messaging.Application.Writing;

/// <summary>A user's membership of a conversation, and how the user is shown as a sender.</summary>
public sealed record Membership(Participant Participant, SenderView User)
{
    internal static Membership Read(DbDataReader reader)
    {
        var user = new UserId(reader.GetString(1));
        var own = new OwnState(reader.GetInt64(14), Seq(15), Seq(16), Time(17), Time(18), reader.GetBoolean(19), Text(20));
        var state = new ParticipantState(
            Enum.Parse<ParticipantRole>(reader.GetString(4), ignoreCase: true), Time(5)!.Value, reader.GetInt64(6))
        {
            LastSentAt = Time(7),
            LastReadSeq = reader.GetInt64(8),
            LastDeliveredSeq = reader.GetInt64(9),
            IsPending = reader.GetBoolean(10),
            HasOpened = reader.GetBoolean(11),
            Shown = Seq(13) is { } delivered ? new ShownPointers(Seq(12), delivered) : null,
            Own = own,
            Unread = reader.GetInt64(21),
        };
        return new(new Participant(new ConversationId(reader.GetGuid(0)), user, state), new SenderView(user, Text(2), Text(3)));

        long? Seq(int column) => reader.IsDBNull(column) ? null : reader.GetInt64(column);

        Instant? Time(int column) => reader.IsDBNull(column) ? null : Instant.FromDateTimeUtc(reader.GetDateTime(column));

        string? Text(int column) => reader.IsDBNull(column) ? null : reader.GetString(column);
    }
}

/// <summary>The client's id of a message, unique for its sender and conversation.</summary>
/// <param name="Sender">Null for the service.</param>
public readonly record struct KeyOfMessage(ConversationId ConversationId, UserId? Sender, string Key)
{
    internal static KeyOfMessage Read(DbDataReader reader) => new(
        new ConversationId(reader.GetGuid(0)), reader.GetString(1) is { Length: > 0 } sender ? new UserId(sender) : null,
        reader.GetString(2));
}

/// <summary>The message that already has a client's id.</summary>
public sealed record StoredKey(long Seq, byte[] Fingerprint);
