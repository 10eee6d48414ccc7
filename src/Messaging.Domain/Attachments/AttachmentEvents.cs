using Messaging.Domain.Common;

namespace Messaging.Domain.Attachments;

/// <summary>A file is ready, or is found to be bad.</summary>
/// <param name="Audience">Its uploader.</param>
public sealed record AttachmentReady(ConversationId ConversationId, UserId? Audience) : IEvent
{
    public const string Name = "attachment:ready";

    public string Type => Name;
}
