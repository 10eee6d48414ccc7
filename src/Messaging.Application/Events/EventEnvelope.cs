using System.Text.Json;
using System.Text.Json.Serialization;
using Messaging.Application.Common;
using Messaging.Domain.Common;
using NodaTime;

namespace Messaging.Application.Events;

/// <summary>An event, the same over the hub and from <c>/v1/sync</c>.</summary>
/// <param name="Id">
/// The event's cursor: resume from the newest one seen. Over the hub it is null for <c>typing</c>,
/// <c>presence:changed</c> and <c>draining</c>, which are not stored.
/// </param>
/// <param name="Type">Such as <c>message:new</c>; also the name of the hub client method.</param>
/// <param name="Seq">The seq of the message, in events about a message.</param>
/// <param name="Data">Depends on the type: the message, the conversation, how far somebody has read.</param>
public sealed record EventEnvelope(
    string Id, string Type, ConversationId? ConversationId, long? Seq, Instant OccurredAt, JsonText Data)
{
    /// <summary>
    /// For a service that reads everyone's events: whose event it is, where it is one user's own, such as <c>settings:updated</c>. Users
    /// hear only what is for them and are not told.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public UserId? UserId { get; init; }

    /// <summary>Whom the data names as <c>userId</c>; null where it names nobody. Other members may come with a later release.</summary>
    public string? NamedUser()
    {
        using var data = JsonDocument.Parse(Data.Value);
        return data.RootElement.TryGetProperty("userId", out var user) ? user.GetString() : null;
    }

    /// <summary>Whether the data says that something is so; not where it says nothing of it.</summary>
    public bool Says(string member)
    {
        using var data = JsonDocument.Parse(Data.Value);
        return data.RootElement.TryGetProperty(member, out var value) && value.ValueKind is JsonValueKind.True;
    }
}

/// <summary>A row of the feed: what has changed. What is told of it, such as the message, is read when it is told.</summary>
/// <param name="UserId">The one user who hears it; null when every participant of the conversation does.</param>
/// <param name="Payload">Small values as they were decided: a pointer, ids, counts.</param>
public sealed record FeedRow(
    long Position, Instant OccurredAt, Guid? ConversationId, long? Seq, string? UserId, string Type, JsonText? Payload)
{
    private static readonly JsonSerializerOptions Lenient =
        new(MessagingJson.Options) { UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip };

    /// <summary>Those of the payload's values that are asked for; an earlier release may have left more.</summary>
    public T Values<T>()
        where T : new() => Payload is { } payload ? JsonSerializer.Deserialize<T>(payload.Value, Lenient)! : new T();

    /// <summary>The event as its hearers are told.</summary>
    public EventEnvelope ToEnvelope(long epoch, JsonText data) => new(
        new FeedCursor(epoch, Position).ToString(),
        Type,
        ConversationId is { } id ? new ConversationId(id) : null,
        Seq,
        OccurredAt,
        data);

    /// <summary>The event as a service that reads everyone's is told: with whose it is, where it is one user's own.</summary>
    public EventEnvelope ToServiceEnvelope(long epoch, JsonText data) =>
        ToEnvelope(epoch, data) with { UserId = UserId is { } user ? new UserId(user) : null };
}
