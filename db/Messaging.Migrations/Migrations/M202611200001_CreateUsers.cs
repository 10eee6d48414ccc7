namespace Messaging.Migrations.Migrations;

/// <summary>People of the host product: a profile, filled by the host or by the first token that names them.</summary>
[Migration(202611200001, "create_users")]
public sealed class CreateUsers : Migration
{
    public override void Up() => Execute.Sql("""
        CREATE TABLE users (
            id           text COLLATE "C" NOT NULL,
            display_name text,
            first_name   text,
            last_name    text,
            avatar_url   text,
            metadata     jsonb,
            created_at   timestamptz NOT NULL,
            updated_at   timestamptz NOT NULL,
            CONSTRAINT pk_users PRIMARY KEY (id),
            CONSTRAINT ck_users_id CHECK (id ~ '^[A-Za-z0-9_.:@-]{1,64}$')
        );

        -- Search by the beginning of any word of a name.
        CREATE INDEX ix_users_name ON users USING gin (
            to_tsvector('simple', coalesce(display_name, '') || ' ' || coalesce(first_name, '') || ' ' || coalesce(last_name, ''))
        );
        """);

    public override void Down() => Execute.Sql("DROP TABLE users;");
}
