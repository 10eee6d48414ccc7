namespace Messaging.Migrations.Migrations;

/// <summary>What was archived, by oneself or for everyone, be it little among much.</summary>
[Migration(202611250006, TransactionBehavior.None, "index_archived")]
public sealed class IndexArchived : Migration
{
    public override void Up() => Execute.Sql("""
        CREATE INDEX CONCURRENTLY ix_participants_archived ON participants (user_id, activity_day DESC, conversation_id)
            WHERE left_at IS NULL AND (archived_seq IS NOT NULL OR archived_for_all);
        """);

    public override void Down() => Execute.Sql("DROP INDEX CONCURRENTLY ix_participants_archived;");
}
