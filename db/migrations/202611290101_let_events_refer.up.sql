-- Events refer: their rows say what has changed, in small values or none, and what they tell is read when it is told.
-- breaking
-- The release before tells a row's payload as it is: it would tell of messages without content, and stop at a row that has none.
ALTER TABLE outbox ALTER COLUMN payload DROP NOT NULL;
ALTER TABLE feed ALTER COLUMN payload DROP NOT NULL;
