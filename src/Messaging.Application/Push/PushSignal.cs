using Messaging.Application.Common;

namespace Messaging.Application.Push;

/// <summary>Wakes the queue that sends: notifications became due. Word can be lost, rows cannot: the queue looks by itself, too.</summary>
public sealed class PushSignal : Signal;
