-- A row per move of a delivered pointer, as read_marks is for read ones: the time at which any message was received.
CREATE TABLE delivered_marks (
    conversation_id uuid             NOT NULL,
    user_id         text COLLATE "C" NOT NULL,
    seq             bigint           NOT NULL,
    at              timestamptz      NOT NULL,
    CONSTRAINT pk_delivered_marks PRIMARY KEY (conversation_id, user_id, seq)
);
