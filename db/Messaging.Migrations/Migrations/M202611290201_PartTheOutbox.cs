namespace Messaging.Migrations.Migrations;

/// <summary>
/// The outbox in rotating parts. Rows that left it stay behind as dead ones for as long as any snapshot is open elsewhere, and each look
/// for new ones walks over them; so the sequencer sends the application on to the next part now and then, and truncates the one before when
/// nobody writes into it any more and all of it is moved. The table of before becomes the first part with the rows that wait in it. The
/// release before inserts by column names and need know nothing of parts. If one of its nodes leads the feed, nothing rotates.
/// </summary>
[Migration(202611290201, "part_the_outbox (compatible)")]
public sealed class PartTheOutbox : Migration
{
    public override void Up() => Execute.Sql("""
        ALTER TABLE outbox RENAME TO outbox_1;
        ALTER TABLE outbox_1 RENAME CONSTRAINT pk_outbox TO pk_outbox_1;
        ALTER TABLE outbox_1 ADD COLUMN part integer NOT NULL DEFAULT 1;

        -- The part that is written into. A sequence, since what the sequencer sets is seen at once, and its reading costs the same at all
        -- times.
        CREATE SEQUENCE outbox_current AS integer;
        SELECT setval('outbox_current', 1);
        -- For whoever may insert into outbox, also on a server whose roles were made before.
        GRANT SELECT ON SEQUENCE outbox_current TO PUBLIC;

        -- The part for an event of this transaction. Shares the part's lock until the transaction ends, and looks once more when it has it:
        -- who gets the lock alone after writers were sent on knows that nobody writes into the part any more, nor will.
        CREATE FUNCTION outbox_part() RETURNS integer LANGUAGE plpgsql AS $$
        DECLARE
            part integer;
        BEGIN
            LOOP
                part := coalesce(pg_sequence_last_value('outbox_current'), 1);
                CONTINUE WHEN NOT pg_try_advisory_xact_lock_shared(hashtext('messaging:outbox'), part);
                EXIT WHEN part = coalesce(pg_sequence_last_value('outbox_current'), 1);
            END LOOP;
            RETURN part;
        END
        $$;

        CREATE TABLE outbox (LIKE outbox_1 INCLUDING DEFAULTS) PARTITION BY LIST (part);
        ALTER TABLE outbox ALTER COLUMN part SET DEFAULT outbox_part();
        ALTER TABLE outbox ATTACH PARTITION outbox_1 FOR VALUES IN (1);

        -- Makes a part, if it is not there yet; answers whether it did. ATTACH lets whoever reads or writes the others pass, dumps
        -- included. A statement that began before does not know of the part: nobody may be sent to it until such are over.
        CREATE FUNCTION create_outbox_part(part integer) RETURNS boolean LANGUAGE plpgsql SET lock_timeout = '200ms' AS $$
        DECLARE
            name text := 'outbox_' || part;
        BEGIN
            IF to_regclass(name) IS NOT NULL THEN
                RETURN false;
            END IF;
            EXECUTE format(
                'CREATE TABLE %I (LIKE outbox INCLUDING DEFAULTS INCLUDING CONSTRAINTS, CONSTRAINT %I PRIMARY KEY (occurred_at, id))
                    WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, vacuum_truncate = off)',
                name, 'pk_' || name);
            EXECUTE format('ALTER TABLE outbox ATTACH PARTITION %I FOR VALUES IN (%s)', name, part);
            RETURN true;
        EXCEPTION WHEN duplicate_table OR unique_violation THEN
            RETURN false;
        END
        $$;

        -- Makes a part ready to be written into again; false while an event waits in it or somebody has it open, such as a dump. Never
        -- waits for a lock, so that nobody waits behind. A part beyond the fourth, of which there are some after a dump, goes when nobody
        -- is at the outbox.
        CREATE FUNCTION empty_outbox_part(part integer) RETURNS boolean LANGUAGE plpgsql AS $$
        DECLARE
            name text := 'outbox_' || part;
            spare boolean := part > 4;
            filled boolean;
        BEGIN
            IF spare THEN
                BEGIN
                    LOCK TABLE ONLY outbox IN ACCESS EXCLUSIVE MODE NOWAIT;
                EXCEPTION WHEN lock_not_available THEN
                    spare := false;
                END;
            END IF;
            IF NOT spare AND pg_relation_size(name::regclass) = 0 THEN
                RETURN true;
            END IF;
            EXECUTE format('LOCK TABLE ONLY %I IN ACCESS EXCLUSIVE MODE NOWAIT', name);
            EXECUTE format('SELECT EXISTS (SELECT FROM %I)', name) INTO filled;
            IF filled THEN
                RETURN false;
            ELSIF spare THEN
                EXECUTE format('DROP TABLE %I', name);
                RETURN false;
            END IF;
            EXECUTE format('TRUNCATE ONLY %I', name);
            RETURN true;
        EXCEPTION WHEN lock_not_available THEN
            RETURN false;
        END
        $$;

        SELECT create_outbox_part(part) FROM generate_series(2, 4) AS part;
        """);

    // Back into one table, with the rows of all parts. The columns are those that the table has by now.
    public override void Down() => Execute.Sql("""
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
        """);
}
