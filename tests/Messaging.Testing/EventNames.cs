using System.Reflection;
using Messaging.Api.Realtime;
using Messaging.Domain.Webhooks;
using Messaging.Infrastructure.Presence;

namespace Messaging.Testing;

/// <summary>The names of all events, found by scanning.</summary>
public static class EventNames
{
    /// <summary>Of those that are stored.</summary>
    public static IReadOnlyList<string> Stored => EventSelection.Types;

    /// <summary>Of those that are told to who is there, and stored nowhere: constants <c>EventName</c> of what tells them.</summary>
    public static IReadOnlyList<string> Ephemeral { get; } =
    [
        .. ((Type[])[typeof(LivePresence), typeof(DrainingNotice)]).SelectMany(type => type.Assembly.GetTypes())
            .SelectMany(type => Constants(type, "EventName")),
    ];

    static IEnumerable<string> Constants(Type type, string field) => type.GetFields(BindingFlags.Static | BindingFlags.Public)
        .Where(constant => constant.IsLiteral && constant.Name == field).Select(constant => (string)constant.GetRawConstantValue()!);
}
