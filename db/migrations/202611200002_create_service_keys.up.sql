-- Keys of other services. Only a hash of the secret is kept; a revoked key stays, so that its name can still be read.
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
