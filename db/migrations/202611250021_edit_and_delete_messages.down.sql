ALTER TABLE conversations DROP COLUMN last_deleted_seq;
ALTER TABLE message_hidden DROP COLUMN hidden_at;
ALTER TABLE message_gaps DROP COLUMN deletion;
DROP TABLE message_originals;
DROP TABLE message_edits;
