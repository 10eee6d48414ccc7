DROP FUNCTION create_messages_partition(date);
DROP TABLE read_marks;
DROP TABLE mentions;
DROP TABLE message_gaps;
DROP TABLE message_keys;
DROP TABLE messages;
