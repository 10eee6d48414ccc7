using FluentValidation;

namespace Messaging.Application.Reactions;

public static class EmojiRules
{
    public const string Expected =
        "An emoji of Unicode's list is expected, or a :name: of letters, digits, _, + and -, with its colons or without.";

    /// <summary>Refuses what is neither an emoji nor a name of one.</summary>
    public static IRuleBuilderOptions<T, string?> IsEmoji<T>(this IRuleBuilder<T, string?> rule) =>
        rule.Must(emoji => emoji is null || Emoji.Of(emoji) is not null).WithMessage(Expected);
}
