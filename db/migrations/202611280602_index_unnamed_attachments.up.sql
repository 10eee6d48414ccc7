-- outside-transaction
-- compatible
-- The files of a user that no message names yet, to be counted.
CREATE INDEX CONCURRENTLY ix_attachments_unnamed ON attachments (uploader_id) WHERE seq IS NULL;
