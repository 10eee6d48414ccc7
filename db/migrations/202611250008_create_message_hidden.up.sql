-- Messages that somebody has deleted for oneself alone: absent for that one, whatever happens to them later.
CREATE TABLE message_hidden (
    conversation_id uuid             NOT NULL,
    user_id         text COLLATE "C" NOT NULL,
    seq             bigint           NOT NULL,
    CONSTRAINT pk_message_hidden PRIMARY KEY (conversation_id, user_id, seq)
);
