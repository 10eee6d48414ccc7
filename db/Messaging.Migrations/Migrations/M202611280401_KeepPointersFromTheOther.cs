namespace Messaging.Migrations.Migrations;

/// <summary>
/// Between two of whom one has blocked the other, or has not accepted the first message, each is shown how far the other one had come when
/// they parted. Null while there is nothing to keep. A block of the release before leaves them null, and then nothing is shown.
/// </summary>
[Migration(202611280401, "keep_pointers_from_the_other (compatible)")]
public sealed class KeepPointersFromTheOther : Migration
{
    public override void Up() => Execute.Sql("""
        ALTER TABLE participants
            ADD COLUMN shown_read_seq      bigint,
            ADD COLUMN shown_delivered_seq bigint;
        """);

    public override void Down() => Execute.Sql("""
        ALTER TABLE participants
            DROP COLUMN shown_delivered_seq,
            DROP COLUMN shown_read_seq;
        """);
}
