namespace Messaging.Migrations.Migrations;

/// <summary>
/// A number such as 1e-16383 takes a few bytes in jsonb and 16 kB wherever it is printed. New ones are refused; of those that are stored,
/// each that is printed with more than 400 characters becomes the nearest double, which is the value that clients have read it as all
/// along: 0 for most. Changes nothing else, makes nobody wait, and may be run again. In the order of keys, which no update changes, a
/// thousand rows a commit. What the release before still writes meanwhile stays, and is sent with the nearest double by this one.
/// </summary>
[Migration(202611280501, TransactionBehavior.None, "bound_stored_numbers (compatible)")]
public sealed class BoundStoredNumbers : Migration
{
    public override void Up() => Execute.Sql("""
        DO $$
        DECLARE
            part record;
            low text[];
            high text[];
            step CONSTANT int := 1000;
        BEGIN
            CREATE OR REPLACE FUNCTION pg_temp.bounded(given jsonb) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $bounded$
            DECLARE
                number numeric;
            BEGIN
                CASE jsonb_typeof(given)
                WHEN 'object' THEN
                    RETURN coalesce((SELECT jsonb_object_agg(m.key, pg_temp.bounded(m.value)) FROM jsonb_each(given) AS m), '{}');
                WHEN 'array' THEN
                    RETURN coalesce((SELECT jsonb_agg(pg_temp.bounded(i.value) ORDER BY i.n)
                        FROM jsonb_array_elements(given) WITH ORDINALITY AS i (value, n)), '[]');
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

            -- The key's columns, their texts, and places for such texts. What rows are made into others' payloads comes before the
            -- payloads.
            FOR part IN
                SELECT c.oid::regclass::text AS name, t.member, string_agg(format('%I', a.attname), ', ' ORDER BY k.n) AS key,
                    string_agg(format('%I::text', a.attname), ', ' ORDER BY k.n) AS texts,
                    string_agg(format('$PLACE[%s]::%s', k.n, format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY k.n) AS places
                FROM (VALUES (1, 'users', 'metadata'), (2, 'conversations', 'metadata'), (3, 'messages', 'metadata'),
                    (4, 'message_edits', 'metadata'),
                    (5, 'message_originals', 'metadata'), (6, 'outbox', 'payload'), (7, 'feed', 'payload')) AS t (n, name, member)
                JOIN pg_class AS c ON c.relkind = 'r'
                    AND (c.oid = t.name::regclass OR c.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = t.name::regclass))
                JOIN pg_index AS i ON i.indrelid = c.oid AND i.indisprimary
                CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k (attnum, n)
                JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.attnum
                GROUP BY t.n, c.oid, t.member
                ORDER BY t.n, c.oid
            LOOP
                low := NULL;
                -- A day of the feed may be dropped meanwhile.
                WHILE to_regclass(part.name) IS NOT NULL LOOP
                    EXECUTE format(
                        'SELECT ARRAY[%1$s] FROM (SELECT %2$s FROM %3$s %4$s ORDER BY %2$s LIMIT %5$s) AS t ORDER BY (%2$s) DESC LIMIT 1',
                        part.texts, part.key, part.name,
                        CASE WHEN low IS NOT NULL
                            THEN format('WHERE (%s) > (%s)', part.key, replace(part.places, '$PLACE', '$1')) END, step)
                    INTO high USING low;
                    EXIT WHEN high IS NULL;
                    EXECUTE format(
                        'UPDATE %1$s SET %2$I = pg_temp.bounded(%2$I) WHERE (%3$s) <= (%4$s) %5$s AND '
                        || 'CASE WHEN octet_length(%2$I::text) > 400 '
                        || 'THEN %2$I::text ~ ''[0-9.]{200}[0-9.]{200}'' '
                        || 'AND pg_temp.bounded(%2$I)::text IS DISTINCT FROM %2$I::text ELSE false END',
                        part.name, part.member, part.key, replace(part.places, '$PLACE', '$2'),
                        CASE WHEN low IS NOT NULL THEN format('AND (%s) > (%s)', part.key, replace(part.places, '$PLACE', '$1')) END)
                    USING low, high;
                    COMMIT;
                    low := high;
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
        """);

    // What the numbers were is not known any more, and the release before reads them as they are.
    public override void Down() => Execute.Sql("SELECT 1;");
}
