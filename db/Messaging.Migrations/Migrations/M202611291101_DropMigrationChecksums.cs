namespace Messaging.Migrations.Migrations;

/// <summary>
/// The runner before FluentMigrator's kept a table of its own beside VersionInfo. Its release reads there, and nowhere else, which newer
/// scripts it runs beside: it takes this one for breaking, and so it is called. Rows of VersionInfo stay as that runner wrote them.
/// </summary>
[Migration(202611291101, "drop_migration_checksums (breaking)")]
public sealed class DropMigrationChecksums : Migration
{
    public override void Up() => Execute.Sql("DROP TABLE IF EXISTS migration_checksums;");

    // That runner makes its table anew where it is missing, and fills it.
    public override void Down()
    {
    }
}
