namespace Messaging.Migrations.Migrations;

/// <summary>
/// Addresses of other services that are told of events, and what they are told of. The secrets are kept as they are, since each call is
/// signed with them; the one before stays in force for a while after it was replaced.
/// </summary>
[Migration(202611300101, "create_webhooks (compatible)")]
public sealed class CreateWebhooks : Migration
{
    public override void Up() => Execute.Sql("""
        CREATE TABLE webhooks (
            id                    uuid               NOT NULL,
            url                   text               NOT NULL,
            description           text,
            event_types           text[]             NOT NULL,
            context_type          text,
            user_ids              text[] COLLATE "C" NOT NULL,
            enabled               boolean            NOT NULL,
            disabled_reason       text,
            secret                text               NOT NULL,
            previous_secret       text,
            previous_secret_until timestamptz,
            created_at            timestamptz        NOT NULL,
            updated_at            timestamptz        NOT NULL,
            version               bigint             NOT NULL,
            CONSTRAINT pk_webhooks PRIMARY KEY (id),
            CONSTRAINT ck_webhooks_disabled CHECK (NOT enabled OR disabled_reason IS NULL),
            CONSTRAINT ck_webhooks_previous CHECK ((previous_secret IS NULL) = (previous_secret_until IS NULL))
        );
        """);

    public override void Down() => Execute.Sql("DROP TABLE webhooks;");
}
