namespace Messaging.Migrations.Migrations;

/// <summary>A row per move of a delivered pointer, as read_marks is for read ones: the time at which any message was received.</summary>
[Migration(202611250041, "create_delivered_marks")]
public sealed class CreateDeliveredMarks : Migration
{
    public override void Up() => Execute.Sql("""
        CREATE TABLE delivered_marks (
            conversation_id uuid             NOT NULL,
            user_id         text COLLATE "C" NOT NULL,
            seq             bigint           NOT NULL,
            at              timestamptz      NOT NULL,
            CONSTRAINT pk_delivered_marks PRIMARY KEY (conversation_id, user_id, seq)
        );
        """);

    public override void Down() => Execute.Sql("DROP TABLE delivered_marks;");
}
