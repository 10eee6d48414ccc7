namespace Messaging.Migrations;

/// <summary>Where a database stands against a set of scripts.</summary>
/// <param name="Applied">What stands in <c>VersionInfo</c>, in order.</param>
/// <param name="Waiting">Scripts of the set that are not applied, in the order in which they will run.</param>
/// <param name="Newer">Applied scripts that the set does not know, but beside which its release runs.</param>
/// <param name="Problems">A line for each applied script that the set lacks and that breaks its release, or that was changed since.</param>
public sealed record MigrationStatus(
    IReadOnlyList<AppliedScript> Applied, IReadOnlyList<Script> Waiting, IReadOnlyList<AppliedScript> Newer, IReadOnlyList<string> Problems)
{
    /// <summary>The versions of <see cref="Newer"/> with their names, for a sentence.</summary>
    public string NewerNames => string.Join(", ", Newer);

    internal static MigrationStatus Of(IReadOnlyList<AppliedScript> applied, ScriptSet scripts)
    {
        var known = scripts.ToDictionary(script => script.Version);
        var versions = applied.Select(row => row.Version).ToHashSet();
        return new MigrationStatus(
            applied,
            [.. scripts.Where(script => !versions.Contains(script.Version))],
            [.. applied.Where(row => row.IsCompatible && !known.ContainsKey(row.Version))],
            [.. applied.Select(row => ProblemOf(row, known.GetValueOrDefault(row.Version))).OfType<string>()]);
    }

    static string? ProblemOf(AppliedScript row, Script? script)
    {
        if (script is null)
            return row.IsCompatible
                ? null
                : $"{row} is applied, but missing from these scripts, and breaks this release: a newer release applied it, or its file was removed.";
        if (row.Checksum is not null && row.Checksum != script.Checksum)
            return $"{script} was changed after it was applied: restore its text and write a new script.";
        return null;
    }
}
