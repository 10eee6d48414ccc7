using Messaging.Domain.Common;
using Messaging.Domain.Messages;

namespace Messaging.Domain.Participants;

/// <summary>How far one of those who take part has come.</summary>
public sealed record Member(UserId UserId, long ClearedSeq, long LastReadSeq, bool IsPending)
{
    /// <summary>Whether a message is unread for this one, if it counts.</summary>
    public bool HasUnread(StoredMessage message) =>
        !IsPending && UserId != message.SenderId && message.Seq > LastReadSeq && new Visibility(ClearedSeq).Reaches(message.Seq);
}
