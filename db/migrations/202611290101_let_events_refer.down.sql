-- What the rows refer to the release before cannot tell. They go, and every cursor that was given out is expired: clients start again.
UPDATE feed_state SET last_position = last_position + 1, expired_position = last_position + 1;
DELETE FROM outbox;
TRUNCATE feed;
ALTER TABLE feed ALTER COLUMN payload SET NOT NULL;
ALTER TABLE outbox ALTER COLUMN payload SET NOT NULL;
