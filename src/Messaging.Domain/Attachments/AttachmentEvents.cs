namespace Messaging.Domain.Attachments;

public static class AttachmentEvents
{
    public const string Ready = "attachment:ready";
}
