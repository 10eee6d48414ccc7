using FluentMigrator;
using Messaging.Migrations;

namespace Messaging.Api.Tests.Surface;

/// <summary>
/// The scripts of a release after this one: to it, this build is the previous release's. No older commit is checked out and built, which
/// takes minutes and would test, in place of what this tree promises the next release, what another tree promised this one.
/// </summary>
static class NextRelease
{
    public static readonly Script Compatible = new(999912310001, "next_release (compatible)", new Table());
    public static readonly Script Breaking = new(999912310001, "next_release (breaking)", new Table());

    public static ScriptSet With(Script script) => new([.. ScriptSet.OfThisRelease, script]);

    sealed class Table : Migration
    {
        public override void Up() => Execute.Sql("CREATE TABLE next_release (id int);");

        public override void Down() => Execute.Sql("DROP TABLE next_release;");
    }
}
