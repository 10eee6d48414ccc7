using Messaging.Migrations;

namespace Messaging.Api.Tests.Surface;

/// <summary>
/// The scripts of a release after this one: to it, this build is the previous release's. No older commit is checked out and built, which
/// takes minutes and would test, in place of what this tree promises the next release, what another tree promised this one.
/// </summary>
static class NextRelease
{
    public static readonly Script Compatible = Made("-- compatible");
    public static readonly Script Breaking = Made("-- breaking");

    public static ScriptSet With(Script script) => new([.. ScriptSet.Embedded, script]);

    static Script Made(string marker) => new(
        999912310001, "next_release", $"{marker}\nCREATE TABLE next_release (id int);", "DROP TABLE next_release;");
}
