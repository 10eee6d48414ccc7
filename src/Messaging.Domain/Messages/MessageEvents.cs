namespace Messaging.Domain.Messages;

/// <summary>Names of the events that the statements of sending and reading append themselves, with their effect.</summary>
public static class MessageEvents
{
    public const string New = "message:new";
    public const string Read = "message:read";
    public const string Delivered = "message:delivered";
    public const string UnreadChanged = "unread:changed";
}
