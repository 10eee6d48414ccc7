namespace Messaging.Migrations.Migrations;

/// <summary>
/// What each user has uploaded on the last day of it, so that one user does not fill the storage. A row per user, begun anew each day (in
/// UTC).
/// </summary>
[Migration(202611280601, "create_upload_days (compatible)")]
public sealed class CreateUploadDays : Migration
{
    public override void Up() => Execute.Sql("""
        CREATE TABLE upload_days (
            user_id text COLLATE "C" NOT NULL,
            day     date             NOT NULL,
            bytes   bigint           NOT NULL,
            CONSTRAINT pk_upload_days PRIMARY KEY (user_id)
        );
        """);

    public override void Down() => Execute.Sql("DROP TABLE upload_days;");
}
