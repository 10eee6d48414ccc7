using System.Text;
using FluentValidation;
using Messaging.Application.Common;

namespace Messaging.Application.Accounts;

/// <summary>What a new password has to be (NIST SP 800-63B: long and not well known; nothing about kinds of characters).</summary>
public static class PasswordRules
{
    public const int MinLength = 10;
    public const int MaxLength = 128;

    // As it comes, with letters and marks apart; one that is only compared may be from another system, too.
    private const int MaxTypedLength = 1_000;

    private static readonly string Expected = $"{MinLength} to {MaxLength} characters are expected.";

    /// <summary>Why the password is refused; null for one that is good.</summary>
    /// <param name="username">Null when not known.</param>
    public static string? Fault(Password password, string? username)
    {
        // Before it is composed, for which an endless one would take its time.
        if (StrictText.Length(password.Text) > MaxTypedLength)
            return Expected;
        var text = password.Composed;
        if (StrictText.Length(text) is < MinLength or > MaxLength)
            return Expected;
        if (CommonPasswords.Contains(text) || IsRepetition(text) || IsRow(text, 1) || IsRow(text, -1))
            return "This is one of the first passwords that are tried; choose another one.";
        return !string.IsNullOrEmpty(username) && IsMadeOf(text, username)
            ? "A password has more letters than those of the username." : null;
    }

    public static IRuleBuilderOptions<T, Password> IsTyped<T>(this IRuleBuilder<T, Password> rule) =>
        rule.Must(password => StrictText.Length(password.Text) is >= 1 and <= MaxTypedLength)
            .WithMessage($"1 to {MaxTypedLength} characters are expected.");

    private static bool IsRepetition(string text)
    {
        var runes = text.EnumerateRunes();
        runes.MoveNext();
        var first = runes.Current;
        return text.EnumerateRunes().All(rune => rune == first);
    }

    // Letters or digits that follow one another, such as 1234567890: after 9 comes 0.
    private static bool IsRow(string text, int step)
    {
        for (var i = 1; i < text.Length; i++)
        {
            var (last, next) = (text[i - 1], text[i]);
            if (next - last != step && !(char.IsAsciiDigit(last) && next == '0' + ((last - '0' + step + 10) % 10)))
                return false;
        }
        return true;
    }

    // The username, be it more than once, with nothing but digits and marks beside it.
    private static bool IsMadeOf(string text, string username) =>
        text.Contains(username, StringComparison.OrdinalIgnoreCase)
        && !text.Replace(username, "", StringComparison.OrdinalIgnoreCase).EnumerateRunes().Any(Rune.IsLetter);
}
