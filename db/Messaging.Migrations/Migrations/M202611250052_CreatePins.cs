namespace Messaging.Migrations.Migrations;

/// <summary>
/// Messages that are pinned for everybody in a conversation: few, so that they are read by the conversation and put in order then.
/// </summary>
[Migration(202611250052, "create_pins")]
public sealed class CreatePins : Migration
{
    public override void Up() => Execute.Sql("""
        CREATE TABLE pins (
            conversation_id uuid             NOT NULL,
            seq             bigint           NOT NULL,
            sent_at         timestamptz      NOT NULL,
            pinned_by       text COLLATE "C",
            pinned_at       timestamptz      NOT NULL,
            CONSTRAINT pk_pins PRIMARY KEY (conversation_id, seq)
        );
        """);

    public override void Down() => Execute.Sql("DROP TABLE pins;");
}
