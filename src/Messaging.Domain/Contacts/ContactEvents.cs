using Messaging.Domain.Common;

namespace Messaging.Domain.Contacts;

/// <summary>Somebody wants to be a contact; to both.</summary>
public sealed record ContactRequested(UserId Audience) : IPersonalEvent
{
    public const string Name = "contact:requested";

    public string Type => Name;
}

/// <summary>Two are contacts now; to both.</summary>
public sealed record ContactAccepted(UserId Audience) : IPersonalEvent
{
    public const string Name = "contact:accepted";

    public string Type => Name;
}

/// <summary>Two are contacts no more, or were not to be; to whoever may know.</summary>
public sealed record ContactRemoved(UserId Audience) : IPersonalEvent
{
    public const string Name = "contact:removed";

    public string Type => Name;
}

/// <summary>A first message waits for an answer.</summary>
public sealed record RequestReceived(UserId Audience) : IPersonalEvent
{
    public const string Name = "request:received";

    public string Type => Name;
}

/// <summary>A first message was answered.</summary>
public sealed record RequestAnswered(UserId Audience) : IPersonalEvent
{
    public const string Name = "request:answered";

    public string Type => Name;
}

/// <summary>The one who hears it has blocked somebody, or does no more.</summary>
public sealed record BlockChanged(UserId Audience) : IPersonalEvent
{
    public const string Name = "block:changed";

    public string Type => Name;
}
