namespace Messaging.Migrations.Migrations;

/// <summary>
/// Where each conversation stands in the inbox of a user who has too many of one day to be sorted for every page.
/// A table of its own: a message rewrites these few narrow rows under the conversation's lock, and those of participants stay HOT.
/// </summary>
[Migration(202611290901, "keep_inbox_places (compatible)")]
public sealed class KeepInboxPlaces : Migration
{
    public override void Up() => Execute.Sql("""
        CREATE TABLE inbox_places (
            conversation_id uuid             NOT NULL,
            user_id         text COLLATE "C" NOT NULL,
            activity_at     timestamptz      NOT NULL,
            CONSTRAINT pk_inbox_places PRIMARY KEY (conversation_id, user_id),
            CONSTRAINT fk_inbox_places_participants FOREIGN KEY (conversation_id, user_id)
                REFERENCES participants (conversation_id, user_id) ON DELETE CASCADE
        ) WITH (autovacuum_vacuum_scale_factor = 0.02);

        CREATE INDEX ix_inbox_places_newest ON inbox_places (user_id, activity_at DESC, conversation_id DESC);

        -- Whose places are kept, and since when every conversation of theirs has one.
        CREATE TABLE large_inboxes (
            user_id    text COLLATE "C" NOT NULL,
            started_at timestamptz      NOT NULL,
            filled_at  timestamptz,
            CONSTRAINT pk_large_inboxes PRIMARY KEY (user_id),
            CONSTRAINT fk_large_inboxes_users FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
        );
        """);

    public override void Down() => Execute.Sql("""
        DROP TABLE large_inboxes;
        DROP TABLE inbox_places;
        """);
}
