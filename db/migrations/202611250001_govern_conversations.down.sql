DROP TABLE purges;
DROP TABLE bans;
DROP TABLE participant_gaps;

ALTER TABLE participants
    DROP COLUMN last_sent_at,
    DROP COLUMN has_gaps,
    DROP COLUMN pending,
    DROP COLUMN show_read_receipts,
    DROP COLUMN settings,
    DROP COLUMN starred_at,
    DROP COLUMN hidden_seq,
    DROP COLUMN archived_for_all,
    DROP COLUMN archived_seq,
    DROP COLUMN cleared_seq;

ALTER TABLE conversations
    DROP CONSTRAINT ck_conversations_closed_reason,
    DROP COLUMN request,
    DROP COLUMN blocked,
    DROP COLUMN policy;
