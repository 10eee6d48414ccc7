using Messaging.Application.Common;

namespace Messaging.Application.Attachments;

/// <summary>Files of messages.</summary>
public sealed class AttachmentsModule : Module
{
    public override IReadOnlyList<string> Tables { get; } = ["attachments", "upload_days", "file_removals"];

    // That a file is ready.
    public override IReadOnlyList<string> AlsoWrites { get; } = ["outbox"];
}
