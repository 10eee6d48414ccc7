-- A number such as 1e-16383 takes a few bytes in jsonb and 16 kB wherever it is printed. New ones are refused; of those that are stored, each
-- that is printed with more than 400 characters becomes the nearest double, which is the value that clients have read it as all along: 0
-- for most. Changes nothing else, makes nobody wait, and may be run again.
-- outside-transaction
-- compatible
DO $$
DECLARE
    part record;
    page bigint;
    changed bigint;
    block_size CONSTANT bigint := current_setting('block_size');
    -- Rows of so few pages are at most some hundred a commit.
    step CONSTANT bigint := 8;
BEGIN
    CREATE OR REPLACE FUNCTION pg_temp.bounded(given jsonb) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $bounded$
    DECLARE
        number numeric;
    BEGIN
        CASE jsonb_typeof(given)
        WHEN 'object' THEN
            RETURN coalesce((SELECT jsonb_object_agg(m.key, pg_temp.bounded(m.value)) FROM jsonb_each(given) AS m), '{}');
        WHEN 'array' THEN
            RETURN coalesce((SELECT jsonb_agg(pg_temp.bounded(i.value) ORDER BY i.n) FROM jsonb_array_elements(given) WITH ORDINALITY AS i (value, n)), '[]');
        WHEN 'number' THEN
            number := given #>> '{}';
            IF length(number::text) <= 400 THEN
                RETURN given;
            END IF;
            RETURN CASE
                WHEN abs(number) < 2.3e-308 THEN '0'
                WHEN abs(number) > 1.7e308 THEN 'null'
                ELSE to_jsonb(number::float8)
            END;
        ELSE
            RETURN given;
        END CASE;
    END
    $bounded$;

    FOR part IN
        SELECT c.oid, c.oid::regclass::text AS name, t.member
        FROM (VALUES ('users', 'metadata'), ('conversations', 'metadata'), ('messages', 'metadata'), ('message_edits', 'metadata'),
            ('message_originals', 'metadata'), ('outbox', 'payload'), ('feed', 'payload')) AS t (name, member)
        JOIN pg_class AS c ON c.relkind = 'r'
            AND (c.oid = t.name::regclass OR c.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = t.name::regclass))
        ORDER BY c.oid
    LOOP
        page := 0;
        -- A day of the feed may be dropped meanwhile.
        WHILE to_regclass(part.name) IS NOT NULL AND page * block_size < pg_relation_size(part.oid) LOOP
            EXECUTE format(
                'UPDATE %1$s SET %2$I = pg_temp.bounded(%2$I) WHERE ctid >= $1 AND ctid < $2 AND CASE WHEN octet_length(%2$I::text) > 400 '
                || 'THEN %2$I::text ~ ''[0-9.]{200}[0-9.]{200}'' AND pg_temp.bounded(%2$I)::text IS DISTINCT FROM %2$I::text ELSE false END',
                part.name, part.member)
            USING format('(%s,0)', page)::tid, format('(%s,0)', page + step)::tid;
            GET DIAGNOSTICS changed = ROW_COUNT;
            IF changed > 0 THEN
                COMMIT;
            END IF;
            page := page + step;
        END LOOP;
    END LOOP;

    -- Answers that were kept for a repeat and hold such numbers: a repeat is refused now. No other answer is as long.
    LOOP
        DELETE FROM idempotency_keys
        WHERE ctid = ANY (ARRAY(SELECT k.ctid FROM idempotency_keys AS k WHERE octet_length(k.body) > 2097152 LIMIT 1000));
        EXIT WHEN NOT FOUND;
        COMMIT;
    END LOOP;
END
$$;
