namespace Messaging.Migrations.Tests;

[Parallelizable(ParallelScope.All)]
sealed class VerifyTests
{
    static readonly Script Months = Scripts.Made(
        202601040001, "create_months",
        """
        CREATE TABLE months (day date NOT NULL, id bigint NOT NULL, CONSTRAINT pk_months PRIMARY KEY (day, id)) PARTITION BY RANGE (day);
        CREATE INDEX ix_months_id ON months (id);
        CREATE TABLE months_2026_11 PARTITION OF months FOR VALUES FROM ('2026-11-01') TO ('2026-12-01');
        CREATE TYPE mood AS ENUM ('calm', 'busy');
        CREATE VIEW names AS SELECT name FROM people;
        CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TRIGGER touch BEFORE UPDATE ON people FOR EACH ROW EXECUTE FUNCTION touch();
        """,
        "DROP TRIGGER touch ON people; DROP FUNCTION touch(); DROP VIEW names; DROP TYPE mood; DROP TABLE months;");

    static readonly ScriptSet All = new([.. Scripts.Sample, Months]);

    [Test]
    public async Task A_schema_just_made_is_equal()
    {
        await using var database = await TestServer.CreateDatabaseAsync();
        await database.Migrator(All).UpAsync();

        Assert.That((await database.Migrator(All).VerifyAsync()).Differences, Is.Empty);
    }

    [Test]
    public async Task Partitions_that_come_and_go_with_time_are_no_difference()
    {
        await using var database = await TestServer.CreateDatabaseAsync();
        await database.Migrator(All).UpAsync();
        await database.ExecuteAsync("""
            DROP TABLE months_2026_11;
            CREATE TABLE months_2026_12 PARTITION OF months FOR VALUES FROM ('2026-12-01') TO ('2027-01-01');
            """);

        Assert.That((await database.Migrator(All).VerifyAsync()).Differences, Is.Empty);
    }

    [TestCase("ALTER TABLE people DROP COLUMN nickname", "column people.nickname is missing; the scripts make it: text")]
    [TestCase("ALTER TABLE people ALTER COLUMN name DROP NOT NULL", "column people.name is text; the scripts make it text NOT NULL")]
    [TestCase("ALTER TABLE greetings ALTER COLUMN text SET DEFAULT 'hi'", "column greetings.text is text NOT NULL DEFAULT 'hi'::text; ")]
    [TestCase("CREATE INDEX ix_extra ON people (nickname)", "index ix_extra is there, but no script makes it: CREATE INDEX ix_extra")]
    [TestCase("DROP INDEX ix_months_id", "index ix_months_id is missing")]
    [TestCase("ALTER TABLE greetings DROP CONSTRAINT fk_greetings_people", "constraint greetings.fk_greetings_people is missing")]
    [TestCase("ALTER TABLE people ADD CONSTRAINT ck CHECK (id > 0) NOT VALID", "constraint people.ck is there, but no script makes it")]
    [TestCase("CREATE OR REPLACE FUNCTION greet(text) RETURNS text LANGUAGE sql AS 'SELECT $1'", "function greet(text) is ")]
    [TestCase("DROP TRIGGER touch ON people", "trigger people.touch is missing")]
    [TestCase("CREATE OR REPLACE VIEW names AS SELECT nickname AS name FROM people", "view names is ")]
    [TestCase("ALTER TYPE mood ADD VALUE 'asleep'", "type mood is e calm, busy, asleep; the scripts make it e calm, busy")]
    [TestCase("ALTER TABLE people SET (fillfactor = 50)", "table people is r p {fillfactor=50}; the scripts make it r p")]
    [TestCase("CREATE TABLE other (id int)", "column other.id is there, but no script makes it")]
    public async Task A_change_by_hand_is_told(string change, string difference)
    {
        await using var database = await TestServer.CreateDatabaseAsync();
        await database.Migrator(All).UpAsync();
        await database.ExecuteAsync(change);

        Assert.That((await database.Migrator(All).VerifyAsync()).Differences, Has.Some.StartsWith(difference));
    }

    [Test]
    public async Task A_script_changed_after_it_was_applied_is_a_difference()
    {
        await using var database = await TestServer.CreateDatabaseAsync();
        await database.Migrator(new ScriptSet([Scripts.People])).UpAsync();
        var changed = Scripts.Made(Scripts.People.Version, Scripts.People.Name, "CREATE TABLE people (id int)", "");

        Assert.That((await database.Migrator(new ScriptSet([changed])).VerifyAsync()).Differences, Has.Some.EqualTo(
            "column people.id is bigint NOT NULL; the scripts make it integer"));
    }

    [Test]
    public async Task Waiting_scripts_are_told_and_no_difference()
    {
        await using var database = await TestServer.CreateDatabaseAsync();
        await database.Migrator(All).UpAsync(Scripts.People.Version);

        var verification = await database.Migrator(All).VerifyAsync();

        Assert.That(verification.Differences, Is.Empty);
        Assert.That(verification.Waiting, Has.Count.EqualTo(3));
    }

    [Test]
    public async Task A_role_that_only_owns_its_database_migrates_and_is_told_why_it_cannot_verify()
    {
        await using var database = await TestServer.CreateDatabaseAsync();
        await using var owner = await TestServer.CreateOwnerAsync(database);
        var migrator = new Migrator(owner.ConnectionString, All);
        await migrator.UpAsync();

        Assert.That(() => migrator.VerifyAsync(), Throws.TypeOf<MigrationException>()
            .With.Message.StartsWith($"The schema cannot be compared: role {owner.Name} may not create the scratch database"));
    }

    [Test]
    public async Task The_scratch_database_is_dropped_again()
    {
        await using var database = await TestServer.CreateDatabaseAsync();
        await database.Migrator(All).UpAsync();
        await using var owner = await TestServer.CreateOwnerAsync(database, mayCreateDatabases: true);

        await new Migrator(owner.ConnectionString, All).VerifyAsync();

        Assert.That(
            await database.LinesAsync($"SELECT datname FROM pg_database WHERE pg_get_userbyid(datdba) = '{owner.Name}'"),
            Is.EqualTo((string[])[database.Name]));
    }
}
