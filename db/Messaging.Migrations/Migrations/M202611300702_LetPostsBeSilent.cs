namespace Messaging.Migrations.Migrations;

/// <summary>
/// Lets posts be silent, as messages over the API can be, and refuses misspelled members of a place or a reference at once, too.
/// The release before sends a silent post like any other.
/// </summary>
[Migration(202611300702, "let_posts_be_silent (compatible)")]
public sealed class LetPostsBeSilent : Migration
{
    internal const string Function = """
        CREATE OR REPLACE FUNCTION messaging.post(
            message jsonb, sender_id text DEFAULT NULL, conversation_id uuid DEFAULT NULL, recipient_id text DEFAULT NULL,
            context jsonb DEFAULT NULL)
        RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
        #variable_conflict use_variable
        DECLARE
            kinds CONSTANT jsonb := '{"clientMessageId": "string", "type": "string", "text": "string", "metadata": "object",
                "replyToId": "string", "mentions": "array", "attachmentIds": "array", "location": "object", "reference": "object",
                "silent": "boolean", "location.latitude": "number", "location.longitude": "number", "location.label": "string",
                "reference.type": "string", "reference.id": "string", "reference.title": "string", "reference.url": "string",
                "reference.imageUrl": "string"}';
            types CONSTANT text[] := '{text,image,file,voice,video,location,shared,system}';
            user_id CONSTANT text := '^[A-Za-z0-9_.:@-]{1,64}$';
            members text;
            type text;
            problem text[];
            post_id uuid;
        BEGIN
            IF jsonb_typeof(message) = 'object' THEN
                SELECT string_agg(m.path, ', ' ORDER BY m.path) INTO members
                FROM (
                    SELECT o.key AS path, o.value, CASE WHEN o.key NOT LIKE '%.%' THEN kinds ->> o.key END AS kind
                    FROM jsonb_each(message) AS o
                    UNION ALL
                    SELECT p.key || '.' || n.key, n.value, kinds ->> (p.key || '.' || n.key)
                    FROM unnest('{location,reference}'::text[]) AS p (key)
                    CROSS JOIN LATERAL jsonb_each(
                        CASE jsonb_typeof(message -> p.key) WHEN 'object' THEN message -> p.key ELSE '{}' END) AS n
                ) AS m
                WHERE jsonb_typeof(m.value) <> 'null' AND jsonb_typeof(m.value) IS DISTINCT FROM m.kind;
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
        """;

    public override void Up() => Execute.Sql(Function);

    public override void Down() =>
        Execute.Sql(CreatePosts.Function.Replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", StringComparison.Ordinal));
}
