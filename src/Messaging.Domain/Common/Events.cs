namespace Messaging.Domain.Common;

/// <summary>A fact that clients and services are told about, after commit. Its type is the name of the client's method.</summary>
public interface IEvent
{
    string Type { get; }

    ConversationId ConversationId { get; }

    /// <summary>The only user who receives it; null for all participants.</summary>
    UserId? Audience => null;
}

/// <summary>A fact about people that one of them is told about: it concerns no conversation.</summary>
public interface IPersonalEvent
{
    string Type { get; }

    UserId Audience { get; }
}

/// <summary>A fact that services alone are told about.</summary>
public interface IServiceEvent
{
    string Type { get; }
}
