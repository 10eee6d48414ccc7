using Messaging.Application.Common;
using Messaging.Domain.Messages;

namespace Messaging.Application.Messages;

/// <summary>Whether a message of a type carries something.</summary>
public enum Carries
{
    Never,
    Maybe,
    Always,
}

/// <summary>What a message of a type must, may and must not carry.</summary>
public sealed record TypeRule(
    Carries Text, Carries Location = Carries.Never, Carries Reference = Carries.Never, Carries Attachments = Carries.Never)
{
    private static readonly Dictionary<MessageType, TypeRule> All = new()
    {
        [MessageType.Text] = new(Carries.Always),
        [MessageType.Image] = new(Carries.Maybe, Attachments: Carries.Always),
        [MessageType.File] = new(Carries.Maybe, Attachments: Carries.Always),
        [MessageType.Voice] = new(Carries.Maybe, Attachments: Carries.Always),
        [MessageType.Video] = new(Carries.Maybe, Attachments: Carries.Always),
        [MessageType.Location] = new(Carries.Maybe, Location: Carries.Always),
        [MessageType.Shared] = new(Carries.Maybe, Reference: Carries.Always),
        [MessageType.System] = new(Carries.Maybe),
    };

    public static TypeRule Of(MessageType? type) => All[type ?? MessageType.Text];
}

public static class CarriesRules
{
    public static bool Allows(this Carries carries, bool there) => carries switch
    {
        Carries.Never => !there,
        Carries.Always => there,
        _ => true,
    };

    /// <summary>Says what was expected where it is not allowed.</summary>
    /// <param name="what">With its article.</param>
    public static string Expected(this Carries carries, MessageType? type, string what)
    {
        var name = MessagingJson.Words.ConvertName((type ?? MessageType.Text).ToString());
        var none = $"no {what[(what.IndexOf(' ', StringComparison.Ordinal) + 1)..]}";
        return $"A message of type '{name}' has {(carries is Carries.Always ? what : none)}.";
    }
}
