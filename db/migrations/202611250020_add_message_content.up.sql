-- What messages say beside their text: a place on earth, or something of the host's.
ALTER TABLE messages
    ADD COLUMN location  jsonb,
    ADD COLUMN reference jsonb;
