-- outside-transaction
DROP INDEX CONCURRENTLY ix_attachments_unnamed;
