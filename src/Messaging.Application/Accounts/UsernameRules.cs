using System.Buffers;
using FluentValidation;

namespace Messaging.Application.Accounts;

/// <summary>The name that somebody logs in with. Its case is kept and shown, and makes no difference otherwise.</summary>
public static class UsernameRules
{
    private static readonly SearchValues<char> Allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

    public static IRuleBuilderOptions<T, string> IsUsername<T>(this IRuleBuilder<T, string> rule) =>
        rule.Must(IsValid).WithMessage("3 to 50 of A-Z a-z 0-9 _ are expected.");

    public static bool IsValid(string name) => name.Length is >= 3 and <= 50 && !name.AsSpan().ContainsAnyExcept(Allowed);
}
