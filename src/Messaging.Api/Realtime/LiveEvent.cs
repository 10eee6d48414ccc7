using System.Text;
using System.Text.Json;
using Messaging.Application.Common;
using Messaging.Application.Events;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;

namespace Messaging.Api.Realtime;

/// <summary>An event on its way to connections: made into what they send once for each kind of them, however many hear it.</summary>
public sealed class LiveEvent
{
    private readonly string type;
    private readonly string? id;
    private byte[]? lines;

    public LiveEvent(EventEnvelope envelope) => (type, id, Envelope) = (envelope.Type, envelope.Id, envelope);

    public LiveEvent(EphemeralEnvelope envelope) => (type, id, Envelope) = (envelope.Type, envelope.Id, envelope);

    public object Envelope { get; }

    /// <summary>The call of the hub client's method that it is.</summary>
    public SerializedHubMessage Call => field ??= new SerializedHubMessage(new InvocationMessage(type, [Envelope]));

    /// <summary>
    /// Its lines in a stream of server-sent events. What is stored nowhere has no <c>id:</c>, and clients keep the one before.
    /// </summary>
    public ReadOnlyMemory<byte> Lines => lines ??= Encoding.UTF8.GetBytes(
        $"{(id is null ? "" : $"id: {id}\n")}event: {type}\ndata: {JsonSerializer.Serialize(Envelope, MessagingJson.Options)}\n\n");
}
