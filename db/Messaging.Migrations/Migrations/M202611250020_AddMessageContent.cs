namespace Messaging.Migrations.Migrations;

/// <summary>What messages say beside their text: a place on earth, or something of the host's.</summary>
[Migration(202611250020, "add_message_content")]
public sealed class AddMessageContent : Migration
{
    public override void Up() => Execute.Sql("""
        ALTER TABLE messages
            ADD COLUMN location  jsonb,
            ADD COLUMN reference jsonb;
        """);

    public override void Down() => Execute.Sql("""
        ALTER TABLE messages
            DROP COLUMN location,
            DROP COLUMN reference;
        """);
}
