namespace Messaging.Migrations.Migrations;

/// <summary>
/// Finds the one row of feed_state by its position. Each move leaves an old version of it behind; while a snapshot is open elsewhere, such
/// as a dump's, whoever reads the table walks over all of them, and so does the check of a key that is the same in each. The newest version
/// has the highest position.
/// </summary>
[Migration(202611300304, "key_feed_state_by_position (compatible)")]
public sealed class KeyFeedStateByPosition : Migration
{
    public override void Up() => Execute.Sql("""
        ALTER TABLE feed_state DROP CONSTRAINT pk_feed_state, ADD CONSTRAINT pk_feed_state PRIMARY KEY (last_position);
        """);

    public override void Down() => Execute.Sql("""
        ALTER TABLE feed_state DROP CONSTRAINT pk_feed_state, ADD CONSTRAINT pk_feed_state PRIMARY KEY (id);
        """);
}
