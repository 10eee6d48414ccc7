using Messaging.Application.Common;

namespace Messaging.Application.Moderation;

/// <summary>What users report.</summary>
public sealed class ModerationModule : Module
{
    // Index: ix_reports_conversation.
    private const string PurgeSql = "DELETE FROM reports WHERE conversation_id = $1";

    public override IReadOnlyList<string> Tables { get; } = ["reports"];

    public override IReadOnlyList<string> Purges { get; } = [PurgeSql];
}
