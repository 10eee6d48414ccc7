using Messaging.Domain.Common;

namespace Messaging.Domain.Participants;

/// <summary>What the other one of two is shown of somebody's pointers.</summary>
/// <param name="ReadSeq">Null where this one lets nobody see it.</param>
public sealed record ShownPointers(long? ReadSeq, long DeliveredSeq);

/// <summary>How somebody's pointers have moved while they were kept from the other one.</summary>
/// <param name="ReadSeq">Where the read pointer is; null where nothing is to be told of it.</param>
/// <param name="IsBack">Whether it has moved back.</param>
/// <param name="DeliveredSeq">Where the delivered pointer is; null where it has not moved.</param>
public sealed record UnseenMoves(UserId UserId, long? ReadSeq, bool IsBack, long? DeliveredSeq);
