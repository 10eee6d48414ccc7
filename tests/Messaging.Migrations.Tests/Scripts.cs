using FluentMigrator;

namespace Messaging.Migrations.Tests;

/// <summary>Small scripts to migrate with.</summary>
static class Scripts
{
    public static readonly Script People = Made(
        202601010001, "create_people",
        """
        CREATE TABLE people (
            id bigint CONSTRAINT pk_people PRIMARY KEY,
            name text NOT NULL);
        """,
        "DROP TABLE people;");

    public static readonly Script Nicknames = Made(
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

    public static readonly Script NameIndex = OutsideTransaction(
        202601030001, "index_people_names",
        ["CREATE INDEX CONCURRENTLY ix_people_name ON people (name);"],
        ["DROP INDEX CONCURRENTLY ix_people_name;"]);

    /// <summary>The test holds advisory lock 42, so a run stands still inside this script until the test lets it go.</summary>
    public static readonly Script Gate = Made(
        202601020001, "gate", "CREATE TABLE gate (id int); SELECT pg_advisory_xact_lock(42);", "DROP TABLE gate;");

    /// <summary>A script of the next release, beside which this one runs.</summary>
    public static readonly Script Pets = Made(
        202602010001, "create_pets (compatible)", "CREATE TABLE pets (name text NOT NULL);", "DROP TABLE pets;");

    /// <summary>A script of the next release which takes away what this one reads.</summary>
    public static readonly Script NoNicknames = Made(
        202602010002, "drop_nicknames (breaking)",
        "ALTER TABLE people DROP COLUMN nickname;",
        "ALTER TABLE people ADD COLUMN nickname text;");

    public static readonly ScriptSet Sample = new([NameIndex, People, Nicknames]);

    public static Script Made(long version, string description, string up, string down) => new(version, description, new Sql([up], [down]));

    public static Script OutsideTransaction(long version, string description, string[] up, string[] down) =>
        new(version, description, new Sql(up, down), TransactionBehavior.None);

    public static ScriptSet Named(string names) =>
        new(new[] { People, Nicknames, NameIndex, Gate }.Where(script => names.Split(',').Contains(script.Name, StringComparer.Ordinal)));

    sealed class Sql(string[] up, string[] down) : Migration
    {
        public override void Up() => Array.ForEach(up, sql => Execute.Sql(sql));

        public override void Down() => Array.ForEach(down, sql => Execute.Sql(sql));
    }
}
