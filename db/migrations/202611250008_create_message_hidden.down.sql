DROP TABLE message_hidden;
