using Messaging.Application.Common;

namespace Messaging.Application.Webhooks;

/// <summary>Wakes this node's deliveries: something may be due. Word can be lost, rows cannot.</summary>
public sealed class DeliverySignal : Signal;
