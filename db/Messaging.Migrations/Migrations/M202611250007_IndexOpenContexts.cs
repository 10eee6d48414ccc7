namespace Messaging.Migrations.Migrations;

/// <summary>Open conversations about something of the host's, to find those that have gone quiet.</summary>
[Migration(202611250007, TransactionBehavior.None, "index_open_contexts")]
public sealed class IndexOpenContexts : Migration
{
    public override void Up() => Execute.Sql(
        "CREATE INDEX CONCURRENTLY ix_conversations_open_context ON conversations (id) WHERE context_id IS NOT NULL "
            + "AND closed_at IS NULL;");

    public override void Down() => Execute.Sql("DROP INDEX CONCURRENTLY ix_conversations_open_context;");
}
