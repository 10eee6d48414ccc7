-- Between two of whom one has blocked the other, or has not accepted the first message, each is shown how far the other one had come when
-- they parted. Null while there is nothing to keep. A block of the release before leaves them null, and then nothing is shown.
-- compatible
ALTER TABLE participants
    ADD COLUMN shown_read_seq      bigint,
    ADD COLUMN shown_delivered_seq bigint;
