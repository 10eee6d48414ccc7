namespace Messaging.Migrations.Tests;

/// <summary>Small scripts to migrate with.</summary>
static class Scripts
{
    public static readonly Script People = new(
        202601010001, "create_people",
        """
        -- People write messages.
        CREATE TABLE people (
            id bigint CONSTRAINT pk_people PRIMARY KEY,
            name text NOT NULL);
        """,
        "DROP TABLE people;");

    public static readonly Script Nicknames = new(
        202601020001, "add_nicknames",
        """
        -- A name may be too long to call out.
        ALTER TABLE people ADD COLUMN nickname text;
        CREATE TABLE greetings (
            person_id bigint NOT NULL CONSTRAINT fk_greetings_people REFERENCES people (id),
            text text NOT NULL DEFAULT 'hello; -- there');
        CREATE FUNCTION greet(text) RETURNS text LANGUAGE plpgsql AS $greet$
        BEGIN
            RETURN 'hello; ' || $1;
        END
        $greet$;
        """,
        """
        DROP FUNCTION greet(text);
        DROP TABLE greetings;
        ALTER TABLE people DROP COLUMN nickname;
        """);

    public static readonly Script NameIndex = new(
        202601030001, "index_people_names",
        """
        -- People are found by name.
        -- outside-transaction
        CREATE INDEX CONCURRENTLY ix_people_name ON people (name);
        """,
        """
        -- outside-transaction
        DROP INDEX CONCURRENTLY ix_people_name;
        """);

    /// <summary>A script of the next release, beside which this one runs.</summary>
    public static readonly Script Pets = new(
        202602010001, "create_pets",
        """
        -- People talk about their pets.
        -- compatible
        CREATE TABLE pets (name text NOT NULL);
        """,
        "DROP TABLE pets;");

    /// <summary>A script of the next release which takes away what this one reads.</summary>
    public static readonly Script NoNicknames = new(
        202602010002, "drop_nicknames",
        """
        -- Nobody uses them.
        -- breaking
        ALTER TABLE people DROP COLUMN nickname;
        """,
        "ALTER TABLE people ADD COLUMN nickname text;");

    public static readonly ScriptSet Sample = new([NameIndex, People, Nicknames]);
}
