namespace Messaging.Migrations.Tests;

[Parallelizable(ParallelScope.All)]
sealed class PlanTests
{
    [TestCase("CREATE TABLE a (id int)", null, "none")]
    [TestCase("CREATE TABLE a (id bigint CONSTRAINT fk REFERENCES people (id))", "people", "SHARE ROW EXCLUSIVE")]
    [TestCase("CREATE INDEX ix ON people (name)", "people", "SHARE:")]
    [TestCase("CREATE UNIQUE INDEX CONCURRENTLY ix\n    ON people (name)", "people", "SHARE UPDATE EXCLUSIVE")]
    [TestCase("ALTER TABLE people ADD COLUMN a int", "people", "ACCESS EXCLUSIVE")]
    [TestCase("ALTER TABLE people ADD CONSTRAINT fk FOREIGN KEY (id) REFERENCES people NOT VALID", "people", "SHARE ROW EXCLUSIVE")]
    [TestCase("ALTER TABLE people VALIDATE CONSTRAINT ck", "people", "SHARE UPDATE EXCLUSIVE")]
    [TestCase("ALTER TABLE people SET (fillfactor = 90)", "people", "SHARE UPDATE EXCLUSIVE")]
    [TestCase("DROP TABLE people", "people", "ACCESS EXCLUSIVE")]
    [TestCase("UPDATE people SET name = ''", "people", "ROW EXCLUSIVE")]
    [TestCase("DO 'BEGIN END'", null, "not known")]
    public async Task Each_kind_of_statement_has_its_lock(string sql, string? table, string mode)
    {
        var statement = await PlanAsync(sql, rows: 1);

        Assert.That(statement.Table, Is.EqualTo(table));
        Assert.That(statement.Lock, Does.StartWith(mode));
    }

    [Test]
    public async Task A_statement_that_reads_a_whole_table_is_estimated_from_its_size()
    {
        var index = await PlanAsync("CREATE INDEX ix ON people (name)", rows: 20_000);
        var column = await PlanAsync("ALTER TABLE people ADD COLUMN a int", rows: 20_000);

        Assert.That(index.TableBytes, Is.GreaterThan(19_000_000));
        Assert.That(index.Seconds, Is.InRange(0.3, 1.0));
        Assert.That(column.Seconds, Is.Zero);
    }

    [Test]
    public async Task Only_what_waits_is_planned_and_nothing_is_changed()
    {
        await using var database = await TestServer.CreateDatabaseAsync();
        await database.Migrator(Scripts.Sample).UpAsync(Scripts.People.Version);

        var plan = await database.Migrator(Scripts.Sample).PlanAsync();

        Assert.That(plan.Select(script => (script.Name, script.OutsideTransaction, script.Statements.Count)), Is.EqualTo(
            ((string, bool, int)[])[("add_nicknames", false, 3), ("index_people_names", true, 1)]));
        Assert.That((await database.Migrator(Scripts.Sample).StatusAsync()).Waiting, Has.Count.EqualTo(2));
    }

    static async Task<PlannedStatement> PlanAsync(string sql, int rows)
    {
        await using var database = await TestServer.CreateDatabaseAsync();
        await database.Migrator(Scripts.Sample).UpAsync(Scripts.People.Version);
        await database.ExecuteAsync($"INSERT INTO people (id, name) SELECT n, repeat('x', 1000) FROM generate_series(1, {rows}) n");
        var planned = new ScriptSet([Scripts.People, Scripts.Made(202601020001, "planned", sql, "")]);

        return (await database.Migrator(planned).PlanAsync()).Single().Statements.Single();
    }
}
