using System.Buffers;
using FluentValidation;
using Messaging.Application.Common;
using Messaging.Domain.Conversations;

namespace Messaging.Application.Conversations;

/// <summary>The shape of a context, in bodies and in the inbox's <c>context=type:id</c>.</summary>
public static class ContextRules
{
    private const string Expected = "A context has a type of 1 to 64 of A-Z a-z 0-9 _ . - and an id of 1 to 128 characters.";

    private static readonly SearchValues<char> TypeCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-");

    public static void ValidContext<T>(this IRuleBuilder<T, ConversationContext?> rule) =>
        rule.Must(context => context is null || IsValid(context)).WithMessage(Expected);

    public static void ValidContextParameter<T>(this IRuleBuilder<T, ConversationContext?> rule) =>
        rule.Must(context => context is null || IsValid(context)).WithMessage("Expected: context=type:id. " + Expected);

    /// <summary>Reads <c>type:id</c>, valid or not; the id may hold colons.</summary>
    public static ConversationContext? Parse(string? value)
    {
        if (value is null)
            return null;
        var colon = value.IndexOf(':', StringComparison.Ordinal);
        return new ConversationContext(value[..Math.Max(colon, 0)], value[(colon + 1)..]);
    }

    /// <summary>What the host calls a kind of its objects.</summary>
    public static bool IsType(string type) => type.Length is >= 1 and <= 64 && !type.AsSpan().ContainsAnyExcept(TypeCharacters);

    /// <summary>What the host calls one of them.</summary>
    public static bool IsId(string id) => id.Length >= 1 && StrictText.Length(id) <= 128 && !id.Any(char.IsControl);

    private static bool IsValid(ConversationContext context) => IsType(context.Type) && IsId(context.Id);
}
