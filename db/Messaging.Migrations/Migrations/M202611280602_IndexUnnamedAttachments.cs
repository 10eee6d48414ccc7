namespace Messaging.Migrations.Migrations;

/// <summary>The files of a user that no message names yet, to be counted.</summary>
[Migration(202611280602, TransactionBehavior.None, "index_unnamed_attachments (compatible)")]
public sealed class IndexUnnamedAttachments : Migration
{
    public override void Up() => Execute.Sql(
        "CREATE INDEX CONCURRENTLY ix_attachments_unnamed ON attachments (uploader_id) WHERE seq IS NULL;");

    public override void Down() => Execute.Sql("DROP INDEX CONCURRENTLY ix_attachments_unnamed;");
}
