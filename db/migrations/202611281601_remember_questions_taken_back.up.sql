-- Who has taken a question back, and when: for a day the other one does not hear of it again.
-- compatible
ALTER TABLE declines ADD COLUMN taken_back_at timestamptz;
ALTER TABLE declines ALTER COLUMN declined_at DROP NOT NULL;
