-- When somebody was last connected. Written once a minute for everyone who is: no index, and room for the row's next version beside it.
ALTER TABLE users
    ADD COLUMN last_seen_at timestamptz;

ALTER TABLE users SET (fillfactor = 90);
