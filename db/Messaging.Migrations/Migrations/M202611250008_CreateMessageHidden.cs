namespace Messaging.Migrations.Migrations;

/// <summary>Messages that somebody has deleted for oneself alone: absent for that one, whatever happens to them later.</summary>
[Migration(202611250008, "create_message_hidden")]
public sealed class CreateMessageHidden : Migration
{
    public override void Up() => Execute.Sql("""
        CREATE TABLE message_hidden (
            conversation_id uuid             NOT NULL,
            user_id         text COLLATE "C" NOT NULL,
            seq             bigint           NOT NULL,
            CONSTRAINT pk_message_hidden PRIMARY KEY (conversation_id, user_id, seq)
        );
        """);

    public override void Down() => Execute.Sql("DROP TABLE message_hidden;");
}
