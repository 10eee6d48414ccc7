namespace Messaging.Migrations.Migrations;

/// <summary>
/// The replies to a message in their order. On the parent alone, where it makes nobody wait: the service builds it on the months that are
/// there.
/// </summary>
[Migration(202611250051, "index_replies")]
public sealed class IndexReplies : Migration
{
    public override void Up() => Execute.Sql(
        "CREATE INDEX ix_messages_replies ON ONLY messages (conversation_id, reply_to_seq, seq) WHERE reply_to_seq IS NOT NULL;");

    public override void Down() => Execute.Sql("DROP INDEX ix_messages_replies;");
}
