-- Messages that are pinned for everybody in a conversation: few, so that they are read by the conversation and put in order then.
CREATE TABLE pins (
    conversation_id uuid             NOT NULL,
    seq             bigint           NOT NULL,
    sent_at         timestamptz      NOT NULL,
    pinned_by       text COLLATE "C",
    pinned_at       timestamptz      NOT NULL,
    CONSTRAINT pk_pins PRIMARY KEY (conversation_id, seq)
);
