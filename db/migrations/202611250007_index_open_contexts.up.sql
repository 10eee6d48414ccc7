-- outside-transaction
-- Open conversations about something of the host's, to find those that have gone quiet.
CREATE INDEX CONCURRENTLY ix_conversations_open_context ON conversations (id) WHERE context_id IS NOT NULL AND closed_at IS NULL;
