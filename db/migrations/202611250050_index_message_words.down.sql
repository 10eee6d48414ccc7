-- The extension stays: others may use it, and it may have been there before.
DROP INDEX ix_messages_words;
DROP FUNCTION message_plain(text);
