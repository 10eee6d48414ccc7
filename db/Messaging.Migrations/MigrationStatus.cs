namespace Messaging.Migrations;

/// <summary>Where a database stands against a set of scripts.</summary>
/// <param name="Applied">What stands in <c>VersionInfo</c>, in order.</param>
/// <param name="Waiting">Scripts of the set that are not applied, in the order in which they will run.</param>
/// <param name="Problems">A line for each applied script that is missing from the set or was changed since.</param>
public sealed record MigrationStatus(
    IReadOnlyList<AppliedScript> Applied, IReadOnlyList<Script> Waiting, IReadOnlyList<string> Problems)
{
    internal static MigrationStatus Of(IReadOnlyList<AppliedScript> applied, ScriptSet scripts)
    {
        var known = scripts.ToDictionary(script => script.Version);
        var versions = applied.Select(row => row.Version).ToHashSet();
        return new MigrationStatus(
            applied,
            [.. scripts.Where(script => !versions.Contains(script.Version))],
            [.. applied.Select(row => ProblemOf(row, known.GetValueOrDefault(row.Version))).OfType<string>()]);
    }

    static string? ProblemOf(AppliedScript row, Script? script)
    {
        if (script is null)
            return $"{row.Version} {row.Name} is applied, but missing from these scripts: a newer release applied it, or its file was removed.";
        if (row.Checksum is not null && row.Checksum != script.Checksum)
            return $"{script} was changed after it was applied: restore its text and write a new script.";
        return null;
    }
}
