namespace Messaging.Migrations.Migrations;

/// <summary>
/// The words of messages, to search them. btree_gin lets one index hold the conversation beside the words; PostgreSQL trusts it, so the
/// owner of the database may install it.
/// </summary>
[Migration(202611250050, "index_message_words")]
public sealed class IndexMessageWords : Migration
{
    public override void Up() => Execute.Sql("""
        CREATE EXTENSION IF NOT EXISTS btree_gin;

        -- A text with a space for each sign that PostgreSQL's parser would make more of than words: without these, what looks like a tag
        -- would be no words at all, and the parts of an address, a path or a signed number could not be found. Every character keeps its
        -- place.
        CREATE FUNCTION message_plain(message text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
            SELECT translate(message, '<>&/\-+.~_@:', '            ')
        $$;

        -- On the parent alone, where it makes nobody wait: new months have it from the start, and the service builds it on those that are
        -- there. Of all messages: a deleted one has no text, and PostgreSQL uses no statistics of the words of an index that leaves rows
        -- out.
        CREATE INDEX ix_messages_words ON ONLY messages USING gin (conversation_id, to_tsvector('simple', message_plain(text)));
        """);

    // The extension stays: others may use it, and it may have been there before.
    public override void Down() => Execute.Sql("""
        DROP INDEX ix_messages_words;
        DROP FUNCTION message_plain(text);
        """);
}
