using Messaging.Domain.Common;

namespace Messaging.Application.Events;

/// <summary>
/// Those who hear events on this node as they happen, such as the hub's connections. Called by one reader, in the feed's order.
/// </summary>
public interface ILiveReceiver
{
    /// <summary>What services go by, which hear everyone's events; no user's id looks like this.</summary>
    const string ServiceName = "*";

    /// <summary>Their audience.</summary>
    static readonly IReadOnlyCollection<string> Services = [ServiceName];

    /// <summary>Whether a service listens here.</summary>
    bool HasServices => false;

    /// <summary>False while nobody listens: the reader then only keeps its place.</summary>
    bool HasListeners { get; }

    /// <summary>Whether the user listens here; false where those who listen are no users.</summary>
    bool Has(string user) => false;

    /// <summary>
    /// The users who have begun or ceased to listen here since this was last called. One who begins is among them before anything is read
    /// that they have to hear.
    /// </summary>
    IReadOnlyCollection<string> TakeChanged() => [];

    /// <summary>Whether an event concerns anybody here; one that concerns nobody is not even made.</summary>
    /// <param name="audience">Of this node's listeners those who may hear it, as far as is known before its data is read.</param>
    bool Hears(string type, ConversationId? conversationId, IReadOnlyCollection<string> audience);

    /// <summary>Hands an event to those of its audience who listen here. Never waits for any of them.</summary>
    /// <param name="audience">Of this node's listeners those who hear it; empty if it concerns only what is kept here.</param>
    void Receive(EventEnvelope envelope, long position, IReadOnlyCollection<string> audience);

    /// <summary>Closes an audience to which an event could not be handed: they resume and hear it then.</summary>
    void Close(IReadOnlyCollection<string> audience);

    /// <summary>Closes everyone, since what they would hear next does not follow on what they heard; they resume or start again.</summary>
    void CloseAll();
}
