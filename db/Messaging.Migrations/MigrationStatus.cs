namespace Messaging.Migrations;

/// <summary>Where a database stands against a set of scripts.</summary>
/// <param name="Applied">What stands in <c>VersionInfo</c>, in order.</param>
/// <param name="Waiting">Scripts of the set that are not applied, in the order in which they will run.</param>
/// <param name="Newer">Applied scripts that the set does not know, but beside which its release runs.</param>
/// <param name="Problems">A line for each applied script that the set lacks and that breaks its release.</param>
public sealed record MigrationStatus(
    IReadOnlyList<AppliedScript> Applied, IReadOnlyList<Script> Waiting, IReadOnlyList<AppliedScript> Newer, IReadOnlyList<string> Problems)
{
    /// <summary>The versions of <see cref="Newer"/> with their names, for a sentence.</summary>
    public string NewerNames => string.Join(", ", Newer);

    internal static MigrationStatus Of(IReadOnlyList<AppliedScript> applied, ScriptSet scripts)
    {
        var versions = applied.Select(row => row.Version).ToHashSet();
        var unknown = applied.Where(row => !scripts.Knows(row.Version)).ToLookup(row => row.IsCompatible);
        return new MigrationStatus(
            applied,
            [.. scripts.Where(script => !versions.Contains(script.Version))],
            [.. unknown[true]],
            [.. unknown[false].Select(row =>
                $"{row} is applied, but missing from these scripts, and breaks this release: " +
                "a newer release applied it, or its file was removed.")]);
    }
}
