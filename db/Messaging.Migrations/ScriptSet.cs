using System.Collections;
using System.Reflection;

namespace Messaging.Migrations;

/// <summary>
/// The scripts of one release in the order of their versions. Making a set fails on a version that stands twice, and on a script
/// outside a transaction that sends several statements together.
/// </summary>
public sealed class ScriptSet : IReadOnlyList<Script>
{
    static readonly Lazy<ScriptSet> Release = new(() => new ScriptSet(
        typeof(ScriptSet).Assembly.GetTypes().Where(type => type.IsDefined(typeof(MigrationAttribute))).Select(Script.Of)));

    readonly Script[] scripts;

    public ScriptSet(IEnumerable<Script> scripts)
    {
        this.scripts = [.. scripts.OrderBy(script => script.Version)];

        foreach (var twice in this.scripts.GroupBy(script => script.Version).Where(group => group.Skip(1).Any()))
            throw new MigrationException(
                $"Two scripts have the version {twice.Key}: {string.Join(", ", twice.Select(script => script.Name))}.");
        foreach (var script in this.scripts.Where(script => script.RunsOutsideTransaction))
            RequireSingleStatements(script);
    }

    /// <summary>The migrations of this assembly.</summary>
    public static ScriptSet OfThisRelease => Release.Value;

    public int Count => scripts.Length;

    /// <summary>The version of the newest script, or 0.</summary>
    public long Latest => scripts.Length == 0 ? 0 : scripts[^1].Version;

    public Script this[int index] => scripts[index];

    /// <summary>True for 0, the schema before the first script, and for the version of a script in the set.</summary>
    public bool Knows(long version) => version == 0 || scripts.Any(script => script.Version == version);

    public IEnumerator<Script> GetEnumerator() => scripts.AsEnumerable().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    // Several statements sent together are one implicit transaction, which is what the script must not run in.
    static void RequireSingleStatements(Script script)
    {
        if (script.Up.Concat(script.Down).Any(sql => SqlText.Statements(sql).Count != 1))
            throw new MigrationException($"{script} runs outside a transaction: each Execute.Sql must be exactly one statement.");
    }
}
