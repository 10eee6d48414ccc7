DELETE FROM declines WHERE declined_at IS NULL;
ALTER TABLE declines ALTER COLUMN declined_at SET NOT NULL;
ALTER TABLE declines DROP COLUMN taken_back_at;
