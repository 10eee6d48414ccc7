using Messaging.Infrastructure.Database;
using Messaging.Testing;
using Npgsql;

namespace Messaging.Api.Tests.Surface;

public sealed class ConnectionStringTests
{
    [Test]
    public void Settings_of_the_operator_are_kept()
    {
        var completed = new NpgsqlConnectionStringBuilder(
            ConnectionStrings.ForCommands("Host=db;MaxAutoPrepare=0;maximum pool size=7;Options=-c work_mem=4MB"));
        Assert.Multiple(() =>
        {
            Assert.That(completed.MaxAutoPrepare, Is.Zero);
            Assert.That(completed.MaxPoolSize, Is.EqualTo(7));
            Assert.That(completed.Options, Does.EndWith(" -c work_mem=4MB").And.Contain("statement_timeout"),
                "PostgreSQL takes the last of a name");
        });
    }

    [Test]
    public async Task Server_options_of_the_operator_are_added_to_ours()
    {
        await using var database = await TestDatabaseServer.CreateEmptyDatabaseAsync();
        var given = new NpgsqlConnectionStringBuilder(database.ConnectionString) { Options = "-c statement_timeout=7000 -c work_mem=5MB" };
        await using var source = NpgsqlDataSource.Create(ConnectionStrings.ForQueries(given.ConnectionString));

        Assert.That(
            (await ShownAsync("statement_timeout"), await ShownAsync("work_mem"), await ShownAsync("default_transaction_isolation")),
            Is.EqualTo(("7s", "5MB", "repeatable read")));

        async Task<string> ShownAsync(string name)
        {
            await using var command = source.CreateCommand($"SHOW {name}");
            return (string)(await command.ExecuteScalarAsync())!;
        }
    }

    [Test]
    public void Requests_prepare_what_repeats_and_never_wait_for_ever()
    {
        var completed = new NpgsqlConnectionStringBuilder(ConnectionStrings.ForCommands("Host=db"));
        Assert.Multiple(() =>
        {
            Assert.That(completed.ApplicationName, Is.EqualTo("messaging"));
            Assert.That(completed.MaxAutoPrepare, Is.EqualTo(100));
            Assert.That(completed.Options, Does.Contain("statement_timeout").And.Contain("idle_in_transaction_session_timeout"));
        });
    }

    [Test]
    public void Queries_wait_their_turn_for_few_connections()
    {
        var (queries, commands) = (new NpgsqlConnectionStringBuilder(ConnectionStrings.ForQueries("Host=db")),
            new NpgsqlConnectionStringBuilder(ConnectionStrings.ForCommands("Host=db")));
        Assert.That(
            queries.MaxPoolSize, Is.EqualTo(Math.Clamp(Environment.ProcessorCount + 1, 3, 6)).And.Not.EqualTo(commands.MaxPoolSize));
    }

    [Test]
    public void Searches_have_few_connections_of_their_own_and_little_time()
    {
        var searches = new NpgsqlConnectionStringBuilder(ConnectionStrings.ForSearches("Host=db"));
        Assert.That((searches.MaxPoolSize, searches.MaxAutoPrepare), Is.EqualTo((1, 0)));
        Assert.That(searches.Options, Does.EndWith("-c statement_timeout=2000"), "PostgreSQL takes the last of a name");
    }

    [Test]
    public void Only_what_sets_something_for_its_session_is_reset() => Assert.Multiple(() =>
    {
        Assert.That(new NpgsqlConnectionStringBuilder(ConnectionStrings.ForCommands("Host=db")).NoResetOnClose);
        Assert.That(new NpgsqlConnectionStringBuilder(ConnectionStrings.ForQueries("Host=db")).NoResetOnClose);
        Assert.That(new NpgsqlConnectionStringBuilder(ConnectionStrings.ForDirectUse("Host=db")).NoResetOnClose, Is.False);
    });

    [Test]
    public async Task A_transaction_that_was_left_open_is_over_when_its_connection_is_taken_again()
    {
        await using var database = await TestDatabaseServer.CreateEmptyDatabaseAsync();
        await using var source = NpgsqlDataSource.Create(ConnectionStrings.ForCommands(database.ConnectionString + ";Maximum Pool Size=1"));
        int first;
        await using (var connection = await source.OpenConnectionAsync())
        {
            first = connection.ProcessID;
            _ = await connection.BeginTransactionAsync();
            await using var command = new NpgsqlCommand("CREATE TABLE left_open (id int); SET LOCAL work_mem = '3MB'", connection);
            await command.ExecuteNonQueryAsync();
        }

        await using var again = await source.OpenConnectionAsync();
        await using var seen = new NpgsqlCommand("SELECT to_regclass('left_open') IS NULL AND current_setting('work_mem') <> '3MB'", again);
        Assert.That((again.ProcessID, await seen.ExecuteScalarAsync()), Is.EqualTo((first, (object)true)));
    }

    [Test]
    public void A_listening_connection_has_no_statement_timeout() =>
        Assert.That(ConnectionStrings.ForDirectUse("Host=db"), Does.Not.Contain("statement_timeout"));
}
