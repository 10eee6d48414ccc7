namespace Messaging.Migrations.Migrations;

/// <summary>
/// Who was in a group that was deleted while somebody had lately left it: that one is left alone by them until the day is over.
/// </summary>
[Migration(202611290801, "remember_departures (compatible)")]
public sealed class RememberDepartures : Migration
{
    public override void Up() => Execute.Sql("""
        CREATE TABLE departures (
            conversation_id uuid             NOT NULL,
            user_id         text COLLATE "C" NOT NULL,
            stays_out_until timestamptz,
            ends_at         timestamptz      NOT NULL,
            CONSTRAINT pk_departures PRIMARY KEY (conversation_id, user_id),
            CONSTRAINT fk_departures_users FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
        );

        CREATE INDEX ix_departures_stays_out ON departures (user_id, stays_out_until);
        CREATE INDEX ix_departures_ends_at ON departures (ends_at);
        """);

    public override void Down() => Execute.Sql("DROP TABLE departures;");
}
