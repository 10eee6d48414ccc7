namespace Messaging.Migrations.Migrations;

/// <summary>
/// The key by which nodes know each other's words on the bus, on which others may speak: every role that may connect to the database may
/// NOTIFY on any channel. Random, made here; only who may read this table can speak as a node.
/// </summary>
[Migration(202611300602, "create_bus_key (compatible)")]
public sealed class CreateBusKey : Migration
{
    public override void Up() => Execute.Sql("""
        CREATE TABLE bus_key (
            id     boolean NOT NULL DEFAULT true,
            secret bytea   NOT NULL,
            CONSTRAINT pk_bus_key PRIMARY KEY (id),
            CONSTRAINT ck_bus_key_one_row CHECK (id),
            CONSTRAINT ck_bus_key_secret CHECK (length(secret) >= 32)
        );

        -- gen_random_uuid() draws from the system's source of secrets, 122 bits each time.
        INSERT INTO bus_key (secret)
        VALUES (sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())));
        """);

    public override void Down() => Execute.Sql("DROP TABLE bus_key;");
}
