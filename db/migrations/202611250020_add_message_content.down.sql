ALTER TABLE messages
    DROP COLUMN location,
    DROP COLUMN reference;
