-- outside-transaction
DROP INDEX CONCURRENTLY ix_conversations_open_context;
