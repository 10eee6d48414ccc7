namespace Messaging.Migrations.Migrations;

/// <summary>Who has said no to a contact, and to whom: for a while that one is not heard again. Gone with a yes.</summary>
[Migration(202611280403, "create_declines (compatible)")]
public sealed class CreateDeclines : Migration
{
    public override void Up() => Execute.Sql("""
        CREATE TABLE declines (
            user_id     text COLLATE "C" NOT NULL,
            asker_id    text COLLATE "C" NOT NULL,
            declined_at timestamptz      NOT NULL,
            CONSTRAINT pk_declines PRIMARY KEY (user_id, asker_id),
            CONSTRAINT fk_declines_users FOREIGN KEY (user_id) REFERENCES users (id),
            CONSTRAINT fk_declines_askers FOREIGN KEY (asker_id) REFERENCES users (id),
            CONSTRAINT ck_declines_others CHECK (user_id <> asker_id)
        );
        """);

    public override void Down() => Execute.Sql("DROP TABLE declines;");
}
