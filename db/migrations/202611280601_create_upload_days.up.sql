-- What each user has uploaded on the last day of it, so that one user does not fill the storage. A row per user, begun anew each day (in UTC).
-- compatible
CREATE TABLE upload_days (
    user_id text COLLATE "C" NOT NULL,
    day     date             NOT NULL,
    bytes   bigint           NOT NULL,
    CONSTRAINT pk_upload_days PRIMARY KEY (user_id)
);
