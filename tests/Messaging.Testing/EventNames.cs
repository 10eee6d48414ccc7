using System.Reflection;
using Messaging.Api.Realtime;
using Messaging.Domain.Common;
using Messaging.Infrastructure.Presence;

namespace Messaging.Testing;

/// <summary>The names of all events, found by scanning.</summary>
public static class EventNames
{
    /// <summary>Of those that are stored: constants <c>Name</c> of their records.</summary>
    public static IReadOnlyList<string> Stored { get; } =
    [
        .. from type in typeof(IEvent).Assembly.GetTypes()
           where type.IsAssignableTo(typeof(IEvent)) || type.IsAssignableTo(typeof(IPersonalEvent))
               || type.IsAssignableTo(typeof(IServiceEvent))
           from name in Constants(type, "Name")
           select name,
    ];

    /// <summary>Of those that are told to who is there, and stored nowhere: constants <c>EventName</c> of what tells them.</summary>
    public static IReadOnlyList<string> Ephemeral { get; } =
    [
        .. ((Type[])[typeof(LivePresence), typeof(DrainingNotice)]).SelectMany(type => type.Assembly.GetTypes())
            .SelectMany(type => Constants(type, "EventName")),
    ];

    static IEnumerable<string> Constants(Type type, string field) => type.GetFields(BindingFlags.Static | BindingFlags.Public)
        .Where(constant => constant.IsLiteral && constant.Name == field).Select(constant => (string)constant.GetRawConstantValue()!);
}
