using Messaging.Domain.Common;

namespace Messaging.Domain.Participants;

/// <summary>The pointers that the other user of a direct conversation sees while the current ones are withheld.</summary>
/// <param name="ReadSeq">Null for a user who does not share read receipts.</param>
public sealed record ShownPointers(long? ReadSeq, long DeliveredSeq);

/// <summary>How a user's pointers moved while they were withheld from the other user.</summary>
/// <param name="ReadSeq">The read pointer; null if it has not moved or is not shared.</param>
/// <param name="IsBack">Whether it has moved back.</param>
/// <param name="DeliveredSeq">The delivered pointer; null if it has not moved.</param>
public sealed record UnseenMoves(UserId UserId, long? ReadSeq, bool IsBack, long? DeliveredSeq);
