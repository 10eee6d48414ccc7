-- outside-transaction
-- What was archived, by oneself or for everyone, be it little among much.
CREATE INDEX CONCURRENTLY ix_participants_archived ON participants (user_id, activity_day DESC, conversation_id)
    WHERE left_at IS NULL AND (archived_seq IS NOT NULL OR archived_for_all);
