namespace Messaging.Migrations.Migrations;

/// <summary>
/// Messages that somebody has saved for oneself, over all conversations: read by the page of one of them, listed by when they were saved,
/// and gone with the message, with the sight of it and with the account.
/// </summary>
[Migration(202611291201, "save_messages (compatible)")]
public sealed class SaveMessages : Migration
{
    public override void Up() => Execute.Sql("""
        CREATE TABLE saved_messages (
            conversation_id uuid             NOT NULL,
            user_id         text COLLATE "C" NOT NULL,
            seq             bigint           NOT NULL,
            sent_at         timestamptz      NOT NULL,
            saved_at        timestamptz      NOT NULL,
            CONSTRAINT pk_saved_messages PRIMARY KEY (conversation_id, user_id, seq),
            CONSTRAINT fk_saved_messages_users FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
        );

        CREATE INDEX ix_saved_messages_newest ON saved_messages (user_id, saved_at DESC, conversation_id DESC, seq DESC);

        -- A message that is deleted for everyone is saved by nobody.
        CREATE INDEX ix_saved_messages_seq ON saved_messages (conversation_id, seq);
        """);

    public override void Down() => Execute.Sql("DROP TABLE saved_messages;");
}
