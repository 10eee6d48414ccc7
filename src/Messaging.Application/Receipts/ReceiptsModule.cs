using Messaging.Application.Common;

namespace Messaging.Application.Receipts;

/// <summary>Read and delivered pointers, receipts and unread counts.</summary>
public sealed class ReceiptsModule : Module
{
    // Index: pk_participant_gaps.
    private const string PurgeGapsSql = "DELETE FROM participant_gaps WHERE conversation_id = $1";

    public override IReadOnlyList<string> Tables { get; } = ["participant_gaps", "read_marks", "delivered_marks"];

    // The pointers.
    public override IReadOnlyList<string> AlsoWrites { get; } = ["participants"];

    public override IReadOnlyList<string> Purges { get; } = [PurgeGapsSql];
}
