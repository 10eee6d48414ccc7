namespace Messaging.Migrations.Migrations;

/// <summary>Reactions: who has put which emoji to which message, and beside them what a page of messages shows of it.</summary>
[Migration(202611250040, "create_reactions")]
public sealed class CreateReactions : Migration
{
    public override void Up() => Execute.Sql("""
        CREATE TABLE reactions (
            conversation_id uuid             NOT NULL,
            seq             bigint           NOT NULL,
            user_id         text COLLATE "C" NOT NULL,
            emoji           text COLLATE "C" NOT NULL,
            created_at      timestamptz      NOT NULL,
            CONSTRAINT pk_reactions PRIMARY KEY (conversation_id, seq, user_id, emoji)
        );

        -- A row per message and emoji, changed under the conversation's lock together with reactions: a page reads as many rows as it shows
        -- emoji, however many have reacted. user_ids holds the first ten.
        CREATE TABLE reaction_counts (
            conversation_id uuid               NOT NULL,
            seq             bigint             NOT NULL,
            emoji           text COLLATE "C"   NOT NULL,
            count           integer            NOT NULL,
            user_ids        text[] COLLATE "C" NOT NULL,
            first_at        timestamptz        NOT NULL,
            CONSTRAINT pk_reaction_counts PRIMARY KEY (conversation_id, seq, emoji),
            CONSTRAINT ck_reaction_counts_count CHECK (count > 0)
        ) WITH (fillfactor = 90);
        """);

    public override void Down() => Execute.Sql("""
        DROP TABLE reaction_counts;
        DROP TABLE reactions;
        """);
}
