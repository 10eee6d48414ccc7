namespace Messaging.Application.Participants;

/// <summary>What a user wants to be notified of.</summary>
public enum NotificationLevel
{
    All,
    Mentions,
    None,
}

/// <summary>A colour by which one tells conversations apart.</summary>
public enum ColorTag
{
    Red,
    Orange,
    Yellow,
    Green,
    Blue,
    Purple,
}

/// <summary>Settings of one's own in a conversation that no statement looks into, as they are stored; null is the default.</summary>
public sealed record Preferences(
    NotificationLevel? NotificationLevel = null,
    ColorTag? ColorTag = null,
    string? CustomLabel = null,
    bool? Desktop = null,
    bool? Mobile = null,
    bool? Sound = null,
    string? Draft = null);
