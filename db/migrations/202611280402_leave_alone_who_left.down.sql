ALTER TABLE participants
    DROP COLUMN stays_out_until;
