namespace Messaging.Migrations.Migrations;

/// <summary>
/// How far those have read the feed who follow it in the name of the cluster, such as the webhooks: written together with what the events
/// led to, so that each event counts once.
/// </summary>
[Migration(202611300201, "follow_the_feed (compatible)")]
public sealed class FollowTheFeed : Migration
{
    public override void Up() => Execute.Sql("""
        CREATE TABLE feed_followers (
            name     text COLLATE "C" NOT NULL,
            epoch    bigint           NOT NULL,
            position bigint           NOT NULL,
            CONSTRAINT pk_feed_followers PRIMARY KEY (name)
        ) WITH (fillfactor = 10);
        """);

    public override void Down() => Execute.Sql("DROP TABLE feed_followers;");
}
