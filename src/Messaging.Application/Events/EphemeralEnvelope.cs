using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Events;

/// <summary>
/// An event that is told to those who are there and stored nowhere. Looks as <see cref="EventEnvelope"/> does; without an id, since nobody
/// can resume from it.
/// </summary>
public sealed record EphemeralEnvelope(string Type, ConversationId? ConversationId, Instant OccurredAt, object Data)
{
    public string? Id { get; }

    public long? Seq { get; }
}
