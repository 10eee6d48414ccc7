namespace Messaging.Migrations.Migrations;

/// <summary>Who has left a group by choice is not brought back by another member before this time.</summary>
[Migration(202611280402, "leave_alone_who_left (compatible)")]
public sealed class LeaveAloneWhoLeft : Migration
{
    public override void Up() => Execute.Sql("""
        ALTER TABLE participants
            ADD COLUMN stays_out_until timestamptz;
        """);

    public override void Down() => Execute.Sql("""
        ALTER TABLE participants
            DROP COLUMN stays_out_until;
        """);
}
