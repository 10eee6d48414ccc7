-- outside-transaction
-- compatible
-- The groups that a user has left lately, for whom would bring them into another.
CREATE INDEX CONCURRENTLY ix_participants_stays_out ON participants (user_id, stays_out_until) WHERE stays_out_until IS NOT NULL;
