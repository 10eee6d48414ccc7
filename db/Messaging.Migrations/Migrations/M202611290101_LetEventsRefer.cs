namespace Messaging.Migrations.Migrations;

/// <summary>
/// Events refer: their rows say what has changed, in small values or none, and what they tell is read when it is told.
/// The release before tells a row's payload as it is: it would tell of messages without content, and stop at a row that has none.
/// </summary>
[Migration(202611290101, "let_events_refer (breaking)")]
public sealed class LetEventsRefer : Migration
{
    public override void Up() => Execute.Sql("""
        ALTER TABLE outbox ALTER COLUMN payload DROP NOT NULL;
        ALTER TABLE feed ALTER COLUMN payload DROP NOT NULL;
        """);

    // What the rows refer to the release before cannot tell. They go, and every cursor that was given out is expired: clients start again.
    public override void Down() => Execute.Sql("""
        UPDATE feed_state SET last_position = last_position + 1, expired_position = last_position + 1;
        DELETE FROM outbox;
        TRUNCATE feed;
        ALTER TABLE feed ALTER COLUMN payload SET NOT NULL;
        ALTER TABLE outbox ALTER COLUMN payload SET NOT NULL;
        """);
}
