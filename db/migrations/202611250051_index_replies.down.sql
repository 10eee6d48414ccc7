DROP INDEX ix_messages_replies;
