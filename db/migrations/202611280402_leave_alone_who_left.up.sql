-- Who has left a group by choice is not brought back by another member before this time.
-- compatible
ALTER TABLE participants
    ADD COLUMN stays_out_until timestamptz;
