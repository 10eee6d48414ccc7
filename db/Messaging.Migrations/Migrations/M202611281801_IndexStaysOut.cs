namespace Messaging.Migrations.Migrations;

/// <summary>The groups that a user has left lately, for whom would bring them into another.</summary>
[Migration(202611281801, TransactionBehavior.None, "index_stays_out (compatible)")]
public sealed class IndexStaysOut : Migration
{
    public override void Up() => Execute.Sql(
        "CREATE INDEX CONCURRENTLY ix_participants_stays_out ON participants (user_id, stays_out_until) "
            + "WHERE stays_out_until IS NOT NULL;");

    public override void Down() => Execute.Sql("DROP INDEX CONCURRENTLY ix_participants_stays_out;");
}
