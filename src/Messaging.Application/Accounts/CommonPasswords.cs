using System.Collections.Frozen;

namespace Messaging.Application.Accounts;

/// <summary>Passwords of ten characters and more that lists of guesses begin with.</summary>
internal static class CommonPasswords
{
    private static readonly FrozenSet<string> All = Read();

    /// <summary>Whether the password is among them, whatever its case.</summary>
    public static bool Contains(string password) => All.Contains(password);

    private static FrozenSet<string> Read()
    {
        using var reader = new StreamReader(typeof(CommonPasswords).Assembly.GetManifestResourceStream("common-passwords.txt")!);
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).ToFrozenSet(StringComparer.OrdinalIgnoreCase);
    }
}
