namespace Messaging.Migrations.Migrations;

/// <summary>The starred conversations of an inbox, be they few among many.</summary>
[Migration(202611250005, TransactionBehavior.None, "index_starred")]
public sealed class IndexStarred : Migration
{
    public override void Up() => Execute.Sql("""
        CREATE INDEX CONCURRENTLY ix_participants_starred ON participants (user_id, activity_day DESC, conversation_id)
            WHERE left_at IS NULL AND starred_at IS NOT NULL;
        """);

    public override void Down() => Execute.Sql("DROP INDEX CONCURRENTLY ix_participants_starred;");
}
