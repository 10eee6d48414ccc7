namespace Messaging.Migrations.Migrations;

/// <summary>What ends before its time, on every node: keys, logins, all tokens of a user, all that a user has open.</summary>
[Migration(202611280201, "create_revocations (compatible)")]
public sealed class CreateRevocations : Migration
{
    public override void Up() => Execute.Sql("""
        CREATE TABLE revocations (
            kind       text COLLATE "C" NOT NULL,
            subject    text COLLATE "C" NOT NULL,
            revoked_at timestamptz      NOT NULL DEFAULT clock_timestamp(),
            -- Who wrote it: nodes ask for what was written by transactions that were not over when they asked last, so that none slips by
            -- that commits late.
            xact       xid8             NOT NULL DEFAULT pg_current_xact_id(),
            CONSTRAINT pk_revocations PRIMARY KEY (kind, subject),
            CONSTRAINT ck_revocations_kind CHECK (kind IN ('key', 'session', 'tokens', 'connections'))
        );

        CREATE INDEX ix_revocations_xact ON revocations (xact);
        CREATE INDEX ix_revocations_kind_revoked_at ON revocations (kind, revoked_at);
        """);

    public override void Down() => Execute.Sql("DROP TABLE revocations;");
}
