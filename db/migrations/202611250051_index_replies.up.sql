-- The replies to a message in their order. On the parent alone, where it makes nobody wait: the service builds it on the months that are there.
CREATE INDEX ix_messages_replies ON ONLY messages (conversation_id, reply_to_seq, seq) WHERE reply_to_seq IS NOT NULL;
