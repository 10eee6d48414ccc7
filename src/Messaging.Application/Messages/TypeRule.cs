using Messaging.Application.Common;
using Messaging.Domain.Messages;

namespace Messaging.Application.Messages;

/// <summary>Whether a message of a type carries something.</summary>
public enum Requirement
{
    Never,
    Maybe,
    Always,
}

/// <summary>What a message of a type must, may and must not carry.</summary>
public sealed record TypeRule(
    Requirement Text, Requirement Location = Requirement.Never, Requirement Reference = Requirement.Never,
    Requirement Attachments = Requirement.Never)
{
    private static readonly Dictionary<MessageType, TypeRule> All = new()
    {
        [MessageType.Text] = new(Requirement.Always),
        [MessageType.Image] = new(Requirement.Maybe, Attachments: Requirement.Always),
        [MessageType.File] = new(Requirement.Maybe, Attachments: Requirement.Always),
        [MessageType.Voice] = new(Requirement.Maybe, Attachments: Requirement.Always),
        [MessageType.Video] = new(Requirement.Maybe, Attachments: Requirement.Always),
        [MessageType.Location] = new(Requirement.Maybe, Location: Requirement.Always),
        [MessageType.Shared] = new(Requirement.Maybe, Reference: Requirement.Always),
        [MessageType.System] = new(Requirement.Maybe),
    };

    public static TypeRule Of(MessageType? type) => All[type ?? MessageType.Text];
}

public static class RequirementRules
{
    public static bool Allows(this Requirement carries, bool there) => carries switch
    {
        Requirement.Never => !there,
        Requirement.Always => there,
        _ => true,
    };

    /// <summary>Says what was expected where it is not allowed.</summary>
    /// <param name="what">With its article.</param>
    public static string Expected(this Requirement carries, MessageType? type, string what)
    {
        var name = MessagingJson.EnumNaming.ConvertName((type ?? MessageType.Text).ToString());
        var none = $"no {what[(what.IndexOf(' ', StringComparison.Ordinal) + 1)..]}";
        return $"A message of type '{name}' has {(carries is Requirement.Always ? what : none)}.";
    }
}
