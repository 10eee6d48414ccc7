namespace Messaging.Domain.ServiceKeys;

/// <summary>What a service key may do. <see cref="Admin"/> includes all others.</summary>
public enum Scope
{
    Users,
    Tokens,
    Conversations,
    Messages,
    Moderation,
    Webhooks,
    Events,
    Admin,
}
