using FluentValidation;
using Messaging.Application.Common;
using Messaging.Application.Conversations;
using Messaging.Domain.Common;
using Messaging.Domain.Webhooks;

namespace Messaging.Application.Webhooks;

/// <summary>The bounds of a webhook's members, the same wherever one is written.</summary>
public static class WebhookRules
{
    /// <summary>How many webhooks there may be.</summary>
    public const int Limit = 1_000;

    private const int DescriptionLength = 1_000;
    private const int MostUsers = 1_000;
    private const int MostWords = 100;

    private static readonly string UnknownType =
        $"An event's type is expected, all of a kind such as message:*, or *; the types are {string.Join(", ", EventSelection.Types)}.";

    public static IRuleBuilderOptions<T, string?> IsWebhookUrl<T>(this IRuleBuilder<T, string?> rule) =>
        rule.Must(IsUrl).WithMessage(
            "An absolute http or https address of at most 2,000 characters is expected, without a user's name or a password.");

    public static IRuleBuilderOptions<T, string?> IsDescription<T>(this IRuleBuilder<T, string?> rule) =>
        rule.Must(text => text is null || StrictText.Length(text) <= DescriptionLength)
            .WithMessage($"At most {DescriptionLength:N0} characters are expected.");

    public static IRuleBuilderOptions<T, IReadOnlyList<string>?> AreFew<T>(this IRuleBuilder<T, IReadOnlyList<string>?> rule) =>
        rule.Must(words => words is null || words.Count <= MostWords).WithMessage($"At most {MostWords} are expected.");

    public static IRuleBuilderOptions<T, string> IsEventType<T>(this IRuleBuilder<T, string> rule) =>
        rule.Must(EventSelection.IsKnown).WithMessage(UnknownType);

    public static IRuleBuilderOptions<T, string?> IsContextType<T>(this IRuleBuilder<T, string?> rule) =>
        rule.Must(type => type is null || ContextRules.IsType(type)).WithMessage("1 to 64 of A-Z a-z 0-9 _ . - are expected.");

    public static IRuleBuilderOptions<T, IReadOnlyList<UserId>?> AreUsers<T>(this IRuleBuilder<T, IReadOnlyList<UserId>?> rule) =>
        rule.Must(users => users is null || (users.Count <= MostUsers && users.Distinct().Count() == users.Count))
            .WithMessage($"At most {MostUsers:N0} users are expected, and none twice.");

    public static IRuleBuilderOptions<T, string?> IsSecret<T>(this IRuleBuilder<T, string?> rule) =>
        rule.Must(secret => secret is null || WebhookSecret.TryParse(secret, out _))
            .WithMessage("A secret is whsec_ and the base64, with its padding, of 24 to 64 random bytes; leave it out to have one made.");

    // The parts of an address that a call does not have: a name and a password would be told to whoever is called.
    private static bool IsUrl(string? text) =>
        text is not null && WebAddress.IsValidOrNull(text) && !text.Any(c => char.IsWhiteSpace(c) || char.IsControl(c))
        && new Uri(text) is { UserInfo: "", Host.Length: > 0, Port: > 0 };
}
