using FluentValidation;
using Messaging.Application.Common;

namespace Messaging.Application.Users;

/// <summary>The bounds of a profile's members, the same wherever one is written.</summary>
public static class ProfileRules
{
    public const int NameLength = 200;

    public static IRuleBuilderOptions<T, string?> IsName<T>(this IRuleBuilder<T, string?> rule) =>
        rule.Must(name => name is null || StrictText.Length(name) <= NameLength).WithMessage("At most 200 characters are expected.");

    public static IRuleBuilderOptions<T, string?> IsWebAddress<T>(this IRuleBuilder<T, string?> rule) =>
        rule.Must(WebAddress.IsValidOrNull).WithMessage(WebAddress.Expected);
}
