namespace Messaging.Migrations.Migrations;

/// <summary>
/// Built-in accounts, for products without an identity provider. The profile is the user's row; what proves who someone is stands here.
/// </summary>
[Migration(202611250002, "create_accounts")]
public sealed class CreateAccounts : Migration
{
    public override void Up() => Execute.Sql("""
        CREATE TABLE accounts (
            user_id             text COLLATE "C" NOT NULL,
            username            text COLLATE "C" NOT NULL,
            password_hash       text             NOT NULL,
            created_at          timestamptz      NOT NULL,
            password_changed_at timestamptz      NOT NULL,
            CONSTRAINT pk_accounts PRIMARY KEY (user_id),
            CONSTRAINT fk_accounts_users FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
            CONSTRAINT ck_accounts_username CHECK (username ~ '^[A-Za-z0-9_]{3,50}$'),
            -- ASP.NET Core Identity's form, or bcrypt of another system at a cost that a login can bear: never a password as it is.
            CONSTRAINT ck_accounts_password_hash CHECK (
                password_hash ~ '^A[A-Za-z0-9+/]{55,}={0,2}$'
                OR password_hash ~ '^\$2[abxy]\$(0[4-9]|1[0-4])\$[./A-Za-z0-9]{53}$')
        );

        -- Unique whatever the case; also finds an account by its name, and names by their beginning.
        CREATE UNIQUE INDEX uq_accounts_username ON accounts (lower(username));

        -- The one refresh token that is good of each family: of those that followed one another on one login. Each begins with what all of
        -- its family share. Only hashes are kept.
        CREATE TABLE refresh_tokens (
            family_hash bytea            NOT NULL,
            token_hash  bytea            NOT NULL,
            user_id     text COLLATE "C" NOT NULL,
            created_at  timestamptz      NOT NULL,
            expires_at  timestamptz      NOT NULL,
            CONSTRAINT pk_refresh_tokens PRIMARY KEY (family_hash),
            CONSTRAINT fk_refresh_tokens_accounts FOREIGN KEY (user_id) REFERENCES accounts (user_id) ON DELETE CASCADE
        );

        CREATE INDEX ix_refresh_tokens_user_id ON refresh_tokens (user_id);
        CREATE INDEX ix_refresh_tokens_expires_at ON refresh_tokens (expires_at);

        -- Failed logins by name in lower case, whether or not there is such an account.
        CREATE TABLE login_failures (
            username text COLLATE "C" NOT NULL,
            failures integer          NOT NULL,
            ends_at  timestamptz      NOT NULL,
            CONSTRAINT pk_login_failures PRIMARY KEY (username)
        );

        CREATE INDEX ix_login_failures_ends_at ON login_failures (ends_at);
        """);

    public override void Down() => Execute.Sql("""
        DROP TABLE login_failures;
        DROP TABLE refresh_tokens;
        DROP TABLE accounts;
        """);
}
