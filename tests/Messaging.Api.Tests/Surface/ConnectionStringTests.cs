using Messaging.Infrastructure.Database;
using Npgsql;

namespace Messaging.Api.Tests.Surface;

public sealed class ConnectionStringTests
{
    [Test]
    public void What_the_operator_gave_stands()
    {
        var completed = new NpgsqlConnectionStringBuilder(ConnectionStrings.ForCommands("Host=db;MaxAutoPrepare=0;maximum pool size=7;Options=-c work_mem=4MB"));
        Assert.Multiple(() =>
        {
            Assert.That(completed.MaxAutoPrepare, Is.Zero);
            Assert.That(completed.MaxPoolSize, Is.EqualTo(7));
            Assert.That(completed.Options, Is.EqualTo("-c work_mem=4MB"));
        });
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
        var (queries, commands) = (new NpgsqlConnectionStringBuilder(ConnectionStrings.ForQueries("Host=db")), new NpgsqlConnectionStringBuilder(ConnectionStrings.ForCommands("Host=db")));
        Assert.That(queries.MaxPoolSize, Is.EqualTo(Math.Max(3, Environment.ProcessorCount + 1)).And.Not.EqualTo(commands.MaxPoolSize));
    }

    [Test]
    public void Only_what_sets_something_for_its_session_is_reset() => Assert.Multiple(() =>
    {
        Assert.That(new NpgsqlConnectionStringBuilder(ConnectionStrings.ForCommands("Host=db")).NoResetOnClose);
        Assert.That(new NpgsqlConnectionStringBuilder(ConnectionStrings.ForQueries("Host=db")).NoResetOnClose);
        Assert.That(new NpgsqlConnectionStringBuilder(ConnectionStrings.ForDirectUse("Host=db")).NoResetOnClose, Is.False);
    });

    [Test]
    public void What_listens_has_no_statement_timeout() =>
        Assert.That(ConnectionStrings.ForDirectUse("Host=db"), Does.Not.Contain("statement_timeout"));
}
