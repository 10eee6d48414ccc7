ALTER TABLE participants
    DROP COLUMN shown_delivered_seq,
    DROP COLUMN shown_read_seq;
