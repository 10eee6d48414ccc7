namespace Messaging.Migrations.Migrations;

/// <summary>
/// Devices know what they were registered with, so that they take nothing more once it is revoked. Those that were registered before, or by
/// a node of the previous release, are bound to nothing.
/// </summary>
[Migration(202611300502, "bind_devices (compatible)")]
public sealed class BindDevices : Migration
{
    public override void Up() => Execute.Sql("""
        -- The login of a built-in account, the service key, and the time at which the token was issued.
        ALTER TABLE devices
            ADD COLUMN family_hash    bytea,
            ADD COLUMN service_key_id text COLLATE "C",
            ADD COLUMN issued_at      timestamptz;
        """);

    public override void Down() => Execute.Sql("""
        ALTER TABLE devices
            DROP COLUMN issued_at,
            DROP COLUMN service_key_id,
            DROP COLUMN family_hash;
        """);
}
