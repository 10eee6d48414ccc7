namespace Messaging.Migrations.Migrations;

/// <summary>Keys of other services. Only a hash of the secret is kept; a revoked key stays, so that its name can still be read.</summary>
[Migration(202611200002, "create_service_keys")]
public sealed class CreateServiceKeys : Migration
{
    public override void Up() => Execute.Sql("""
        CREATE TABLE service_keys (
            id          text COLLATE "C" NOT NULL,
            name        text             NOT NULL,
            secret_hash bytea            NOT NULL,
            scopes      text[]           NOT NULL,
            created_at  timestamptz      NOT NULL,
            revoked_at  timestamptz,
            CONSTRAINT pk_service_keys PRIMARY KEY (id),
            CONSTRAINT ck_service_keys_id CHECK (id ~ '^[a-z0-9]{1,32}$')
        );
        """);

    public override void Down() => Execute.Sql("DROP TABLE service_keys;");
}
