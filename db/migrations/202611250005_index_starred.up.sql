-- outside-transaction
-- The starred conversations of an inbox, be they few among many.
CREATE INDEX CONCURRENTLY ix_participants_starred ON participants (user_id, activity_day DESC, conversation_id)
    WHERE left_at IS NULL AND starred_at IS NOT NULL;
