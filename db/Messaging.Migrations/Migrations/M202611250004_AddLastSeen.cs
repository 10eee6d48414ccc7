namespace Messaging.Migrations.Migrations;

/// <summary>
/// When somebody was last connected. Written once a minute for everyone who is: no index, and room for the row's next version beside it.
/// </summary>
[Migration(202611250004, "add_last_seen")]
public sealed class AddLastSeen : Migration
{
    public override void Up() => Execute.Sql("""
        ALTER TABLE users
            ADD COLUMN last_seen_at timestamptz;

        ALTER TABLE users SET (fillfactor = 90);
        """);

    public override void Down() => Execute.Sql("""
        ALTER TABLE users RESET (fillfactor);

        ALTER TABLE users
            DROP COLUMN last_seen_at;
        """);
}
