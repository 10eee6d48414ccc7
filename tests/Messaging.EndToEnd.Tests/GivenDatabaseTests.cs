using Messaging.Testing;
using Npgsql;

namespace Messaging.EndToEnd.Tests;

/// <summary>A role that may create no databases, on a database that it owns.</summary>
public sealed class GivenDatabaseTests
{
    TestDatabase database = null!;
    string role = null!;
    string given = null!;

    [SetUp]
    public async Task CreateRoleAsync()
    {
        database = await TestDatabaseServer.CreateEmptyDatabaseAsync();
        role = $"test_{Guid.NewGuid():N}";
        // Who is no superuser gives a database only to a role that they are in.
        await ExecuteAsync(database, $"CREATE ROLE {role} LOGIN PASSWORD '{role}'; GRANT {role} TO CURRENT_USER");
        var name = new NpgsqlConnectionStringBuilder(database.ConnectionString).Database;
        await ExecuteAsync(database, $"ALTER DATABASE {name} OWNER TO {role}");
        given = GivenAs(database: null);
    }

    [TearDown]
    public async Task DropRoleAsync()
    {
        await database.DisposeAsync();
        await using var other = await TestDatabaseServer.CreateEmptyDatabaseAsync();
        await ExecuteAsync(other, $"DROP ROLE {role}");
    }

    [Test]
    public async Task Rows_of_the_previous_run_are_gone_and_the_schema_is_reused()
    {
        using var one = (await GivenDatabase.FindAsync(given))!;
        const string leave =
            "INSERT INTO users (id, created_at, updated_at) VALUES ('ada', now(), now()); UPDATE feed_state SET origin = 'kept'";
        await using (var first = await one.TakeAsync(Slices.MigrateAsync))
            await ExecuteAsync(first, leave);

        await using var second = await one.TakeAsync(Slices.MigrateAsync);

        const string sql = "SELECT (SELECT count(*) FROM users), origin FROM feed_state";
        Assert.That(await second.RowsAsync(sql, row => (row.GetInt64(0), row.GetString(1))), Is.EqualTo(new[] { (0L, "kept") }));
    }

    [Test]
    public async Task Whoever_asks_for_an_empty_one_finds_no_tables()
    {
        using var one = (await GivenDatabase.FindAsync(given))!;
        await using (var first = await one.TakeAsync(migrate: null))
            await ExecuteAsync(first, "CREATE TABLE left_behind (id int)");

        await using var second = await one.TakeAsync(migrate: null);

        const string sql = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'";
        Assert.That(await second.RowsAsync(sql, row => row.GetString(0)), Is.Empty);
    }

    [Test]
    public async Task The_second_waits_until_the_first_is_done()
    {
        using var one = (await GivenDatabase.FindAsync(given))!;
        var first = await one.TakeAsync(migrate: null);

        var second = one.TakeAsync(migrate: null);

        Assert.That(second.IsCompleted, Is.False);
        await first.DisposeAsync();
        await (await second).DisposeAsync();
    }

    [Test]
    public void A_database_that_is_not_named_for_tests_is_not_emptied() =>
        Assert.That(
            () => GivenDatabase.FindAsync(GivenAs("postgres")),
            Throws.InvalidOperationException.With.Message.Contains("give the role CREATEDB"));

    [Test]
    public async Task Where_the_role_may_create_databases_everyone_gets_one_of_their_own() =>
        Assert.That(await GivenDatabase.FindAsync(database.ConnectionString), Is.Null);

    string GivenAs(string? database)
    {
        var own = new NpgsqlConnectionStringBuilder(this.database.ConnectionString) { Username = role, Password = role, Pooling = false };
        own.Database = database ?? own.Database;
        return own.ConnectionString;
    }

    static async Task ExecuteAsync(TestDatabase database, string sql)
    {
        await using var command = database.DataSource.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
