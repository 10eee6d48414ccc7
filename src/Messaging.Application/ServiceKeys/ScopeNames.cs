using Messaging.Domain.ServiceKeys;

namespace Messaging.Application.ServiceKeys;

/// <summary>Scopes as the words that stand in the database and on the wire.</summary>
public static class ScopeNames
{
    public static string NameOf(Scope scope) => scope.ToString().ToLowerInvariant();

    /// <summary>Null for a word that is no scope of this release.</summary>
    public static Scope? Parse(string name)
    {
        foreach (var scope in Enum.GetValues<Scope>())
        {
            if (NameOf(scope) == name)
                return scope;
        }
        return null;
    }

    /// <summary>Leaves out what this release does not know: a newer one may have stored it.</summary>
    public static IReadOnlyList<Scope> ParseKnown(IEnumerable<string> names) => [.. names.Select(Parse).OfType<Scope>()];
}
