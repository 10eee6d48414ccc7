-- Back into one table, with the rows of all parts. The columns are those that the table has by now.
LOCK TABLE outbox IN ACCESS EXCLUSIVE MODE;
ALTER TABLE outbox DETACH PARTITION outbox_1;
DO $$
DECLARE
    columns text := (
        SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum)
        FROM pg_attribute
        WHERE attrelid = 'outbox_1'::regclass AND attnum > 0 AND NOT attisdropped);
BEGIN
    EXECUTE format('INSERT INTO outbox_1 (%1$s) SELECT %1$s FROM outbox', columns);
END
$$;
DROP TABLE outbox;
ALTER TABLE outbox_1 DROP COLUMN part;
ALTER TABLE outbox_1 RENAME CONSTRAINT pk_outbox_1 TO pk_outbox;
ALTER TABLE outbox_1 RENAME TO outbox;
DROP FUNCTION empty_outbox_part(integer);
DROP FUNCTION create_outbox_part(integer);
DROP FUNCTION outbox_part();
DROP SEQUENCE outbox_current;
