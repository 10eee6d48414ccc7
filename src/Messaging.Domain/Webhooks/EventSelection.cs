using System.Reflection;
using Messaging.Domain.Common;
using Messaging.Domain.Saved;

namespace Messaging.Domain.Webhooks;

/// <summary>
/// The types of events that a webhook is for: <c>message:new</c>, all of one kind as <c>message:*</c>, or all as <c>*</c>. Without any, the
/// events of conversations, messages and participants.
/// </summary>
public sealed class EventSelection(IReadOnlyCollection<string> words)
{
    /// <summary>Stands for all events, and after a kind and a colon for all of that kind.</summary>
    public const string Any = "*";

    private static readonly string[] DefaultKinds = ["conversation", "message", "participant"];

    /// <summary>The types of all events that are stored, in the order of their names.</summary>
    public static IReadOnlyList<string> Types { get; } =
    [
        .. from type in typeof(IEvent).Assembly.GetTypes()
           where type is { IsAbstract: false } && (type.IsAssignableTo(typeof(IEvent)) || type.IsAssignableTo(typeof(IPersonalEvent))
               || type.IsAssignableTo(typeof(IServiceEvent)))
           let name = (string)type.GetField("Name", BindingFlags.Public | BindingFlags.Static)!.GetRawConstantValue()!
           orderby name
           select name,
    ];

    /// <summary>The types that go out where none is named. What a user saves concerns nobody else.</summary>
    public static IReadOnlyList<string> Defaults { get; } =
        [.. Types.Where(type => DefaultKinds.Contains(KindOf(type)) && type != MessageSaved.Name)];

    private readonly HashSet<string> types =
        words.Count == 0 ? [.. Defaults] : [.. words.SelectMany(word => Types.Where(type => Means(word, type)))];

    /// <summary>Whether a word stands for at least one type.</summary>
    public static bool IsKnown(string word) => Types.Any(type => Means(word, type));

    public bool Includes(string type) => types.Contains(type);

    private static bool Means(string word, string type) =>
        word == Any || word == type || (word.EndsWith($":{Any}", StringComparison.Ordinal) && word[..^2] == KindOf(type));

    private static string KindOf(string type) => type[..type.IndexOf(':', StringComparison.Ordinal)];
}
