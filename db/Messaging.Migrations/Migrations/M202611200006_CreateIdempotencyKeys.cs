namespace Messaging.Migrations.Migrations;

/// <summary>
/// Answers to POST requests that carried an Idempotency-Key, stored in the transaction of their effect and kept 48 hours.
/// </summary>
[Migration(202611200006, "create_idempotency_keys")]
public sealed class CreateIdempotencyKeys : Migration
{
    public override void Up() => Execute.Sql("""
        CREATE TABLE idempotency_keys (
            owner       text COLLATE "C" NOT NULL,
            key         text COLLATE "C" NOT NULL,
            fingerprint bytea            NOT NULL,
            status      integer          NOT NULL,
            headers     jsonb            NOT NULL,
            body        bytea            NOT NULL,
            created_at  timestamptz      NOT NULL,
            CONSTRAINT pk_idempotency_keys PRIMARY KEY (owner, key)
        );

        CREATE INDEX ix_idempotency_keys_created_at ON idempotency_keys (created_at);
        """);

    public override void Down() => Execute.Sql("DROP TABLE idempotency_keys;");
}
