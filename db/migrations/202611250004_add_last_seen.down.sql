ALTER TABLE users RESET (fillfactor);

ALTER TABLE users
    DROP COLUMN last_seen_at;
