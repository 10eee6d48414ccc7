namespace Messaging.Migrations.Migrations;

/// <summary>
/// Posts: messages that a host on the same server sends within a transaction of its own. It calls messaging.post(), which leaves a row;
/// after the commit the service sends the message, and says in the row what became of it. The host reads that in the view messaging.posts.
/// The release before leaves the rows for a node of this one.
/// </summary>
[Migration(202611300401, "create_posts (compatible)")]
public sealed class CreatePosts : Migration
{
    private const string Tables = """
        CREATE SCHEMA messaging;

        CREATE TABLE host_posts (
            id              uuid             NOT NULL DEFAULT gen_random_uuid(),
            xid             xid8             NOT NULL DEFAULT pg_current_xact_id(),
            no              bigint           NOT NULL GENERATED ALWAYS AS IDENTITY,
            posted_by       text COLLATE "C" NOT NULL,
            posted_at       timestamptz      NOT NULL DEFAULT clock_timestamp(),
            sender_id       text COLLATE "C",
            conversation_id uuid,
            recipient_id    text COLLATE "C",
            context         jsonb,
            message         jsonb,
            message_id      uuid,
            code            text,
            detail          text,
            member          text,
            done_at         timestamptz,
            CONSTRAINT pk_host_posts PRIMARY KEY (id),
            CONSTRAINT ck_host_posts_outcome CHECK (
                num_nonnulls(message, message_id, code) = 1 AND (message IS NULL) = (done_at IS NOT NULL))
        ) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000);

        -- By the transaction first: those of before that are over need not be looked at again, however long others stay open.
        CREATE INDEX ix_host_posts_waiting ON host_posts (xid, no) WHERE done_at IS NULL;
        CREATE INDEX ix_host_posts_done_at ON host_posts (done_at) WHERE done_at IS NOT NULL;

        -- Everybody sees their own.
        CREATE VIEW messaging.posts WITH (security_barrier) AS
        SELECT p.id,
            CASE WHEN p.message_id IS NOT NULL THEN 'sent' WHEN p.code IS NOT NULL THEN 'refused' ELSE 'waiting' END AS state,
            p.sender_id, p.conversation_id, p.recipient_id, p.message_id, p.code, p.detail, p.member, p.posted_at, p.done_at
        FROM host_posts p
        WHERE p.posted_by = session_user::text;
        """;

    // What is wrong whatever the service's data and settings say is refused at once, with the host's transaction: mistakes of its code.
    internal const string Function = """
        CREATE FUNCTION messaging.post(
            message jsonb, sender_id text DEFAULT NULL, conversation_id uuid DEFAULT NULL, recipient_id text DEFAULT NULL,
            context jsonb DEFAULT NULL)
        RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
        #variable_conflict use_variable
        DECLARE
            kinds CONSTANT jsonb := '{"clientMessageId": "string", "type": "string", "text": "string", "metadata": "object",
                "replyToId": "string", "mentions": "array", "attachmentIds": "array", "location": "object", "reference": "object"}';
            types CONSTANT text[] := '{text,image,file,voice,video,location,shared,system}';
            user_id CONSTANT text := '^[A-Za-z0-9_.:@-]{1,64}$';
            members text;
            type text;
            problem text[];
            post_id uuid;
        BEGIN
            IF jsonb_typeof(message) = 'object' THEN
                SELECT string_agg(m.key, ', ') INTO members
                FROM jsonb_each(message) AS m
                WHERE jsonb_typeof(m.value) <> 'null' AND jsonb_typeof(m.value) IS DISTINCT FROM kinds ->> m.key;
                type := coalesce(message ->> 'type', 'text');
            END IF;
            problem := CASE
                WHEN jsonb_typeof(message) IS DISTINCT FROM 'object'
                    THEN ARRAY['message is not a JSON object', 'Pass what POST /v1/conversations/{id}/messages takes: {"text": "Hello"}.']
                WHEN octet_length(message::text) > 262144
                    THEN ARRAY['message is larger than 256 KiB', 'Send a shorter text, and refer to what is large.']
                WHEN members IS NOT NULL
                    THEN ARRAY['message has members that are unknown or of another kind: ' || left(members, 200),
                        'Known are ' || (SELECT string_agg(k, ', ') FROM jsonb_object_keys(kinds) AS k) || '.']
                WHEN type <> ALL (types)
                    THEN ARRAY['message has an unknown type', 'Types are ' || array_to_string(types, ', ') || '.']
                WHEN type = 'text' AND coalesce(message ->> 'text', '') !~ '[^[:space:]]'
                    THEN ARRAY['message has no text', 'Only other types go without one.']
                WHEN char_length(message ->> 'clientMessageId') NOT BETWEEN 1 AND 64
                    THEN ARRAY['clientMessageId has not 1 to 64 characters', 'Leave it out to have the id of the post.']
                WHEN (sender_id IS NULL) <> (type = 'system')
                    THEN ARRAY['sender_id and type do not go together',
                        'Users send any type but system, and the service, with sender_id NULL, only system.']
                WHEN sender_id !~ user_id OR recipient_id !~ user_id
                    THEN ARRAY['sender_id or recipient_id is not a user id', 'A user id is 1 to 64 of A-Z a-z 0-9 _ . : @ -.']
                WHEN num_nonnulls(conversation_id, recipient_id) <> 1
                    THEN ARRAY['conversation_id and recipient_id are both given, or neither', 'Name the conversation, or the other user.']
                WHEN recipient_id IS NOT NULL AND sender_id IS NULL
                    THEN ARRAY['recipient_id without sender_id', 'A direct conversation is between two users: name the sender, too.']
                WHEN context IS NOT NULL AND recipient_id IS NULL
                    THEN ARRAY['context without recipient_id', 'A context finds a direct conversation; conversation_id needs none.']
                WHEN context IS NOT NULL AND context <> jsonb_build_object('type', context ->> 'type', 'id', context ->> 'id')
                    THEN ARRAY['context is not an object of a type and an id', 'Such as {"type": "order", "id": "4711"}.']
            END;
            IF problem IS NOT NULL THEN
                RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'messaging.post: ' || problem[1], HINT = problem[2];
            END IF;

            INSERT INTO public.host_posts (posted_by, sender_id, conversation_id, recipient_id, context, message)
            VALUES (session_user, sender_id, conversation_id, recipient_id, context, message)
            RETURNING host_posts.id INTO post_id;
            -- Heard at the commit.
            PERFORM pg_notify('messaging_posts', '');
            RETURN post_id;
        END
        $$;

        REVOKE ALL ON FUNCTION messaging.post FROM PUBLIC;
        """;

    // A role that is called messaging looks into its namesake first. So nothing there has the name of a table, and what creates tables says
    // where, also for a node of the release before.
    private const string Paths = """
        ALTER FUNCTION create_messages_partition(date) SET search_path = public;
        ALTER FUNCTION create_feed_partition(date) SET search_path = public;
        ALTER FUNCTION create_outbox_part(integer) SET search_path = public;
        """;

    public override void Up()
    {
        Execute.Sql(Paths);
        Execute.Sql(Tables);
        Execute.Sql(Function);
    }

    public override void Down() => Execute.Sql("""
        DROP FUNCTION messaging.post;
        DROP VIEW messaging.posts;
        DROP TABLE host_posts;
        DROP SCHEMA messaging;
        ALTER FUNCTION create_messages_partition(date) RESET search_path;
        ALTER FUNCTION create_feed_partition(date) RESET search_path;
        ALTER FUNCTION create_outbox_part(integer) RESET search_path;
        """);
}
