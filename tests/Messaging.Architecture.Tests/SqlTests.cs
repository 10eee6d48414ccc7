using System.Text.RegularExpressions;
using Messaging.Application;
using Messaging.Application.Conversations;
using Messaging.Application.Common;
using Messaging.Application.Messages;
using Messaging.Application.Receipts;
using Messaging.Testing;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Messaging.Architecture.Tests;

public sealed partial class SqlTests
{
    private TestDatabase database = null!;

    [OneTimeSetUp]
    public async Task CreateAsync() => database = await TestDatabaseServer.CreateDatabaseAsync(Slices.MigrateAsync);

    [OneTimeTearDown]
    public async Task DropAsync()
    {
        await database.DisposeAsync();
        await TestDatabaseServer.StopAsync();
    }

    [TestCaseSource(typeof(SqlConstants), nameof(SqlConstants.All))]
    public async Task PostgreSQL_understands(SqlConstant sql)
    {
        await using var connection = await database.DataSource.OpenConnectionAsync();
        await using var command = new NpgsqlCommand(sql.Text, connection);
        // Npgsql derives named parameters alone.
        await using var positional = new NpgsqlCommand($"PREPARE understood AS {sql.Text}", connection);

        if (sql.Text.Contains("$1", StringComparison.Ordinal))
            Assert.That(() => positional.ExecuteNonQuery(), Throws.Nothing);
        else
            Assert.That(() => NpgsqlCommandBuilder.DeriveParameters(command), Throws.Nothing);
    }

    [TestCaseSource(typeof(SqlConstants), nameof(SqlConstants.All))]
    public void No_statement_selects_everything_or_skips_rows(SqlConstant sql)
    {
        Assert.That(sql.Text, Does.Not.Match(@"(?i)\bSELECT\s+(\w+\.)?\*|\bOFFSET\b"));
    }

    // Connections of requests go back to their pools as they are.
    [TestCaseSource(typeof(SqlConstants), nameof(SqlConstants.OfRequests))]
    public void No_statement_of_a_request_leaves_anything_on_its_session(SqlConstant sql)
    {
        Assert.That(sql.Text, Does.Not.Match(
            @"(?i)(^|;)\s*(SET\s+(?!LOCAL)|LISTEN|PREPARE|DECLARE|CREATE\s+TEMP)|pg_(try_)?advisory_lock|set_config\([^)]*,\s*false"));
    }

    [TestCaseSource(typeof(SqlConstants), nameof(SqlConstants.All))]
    public void Only_the_owning_modules_write_a_table(SqlConstant sql)
    {
        foreach (var table in Written(sql.Text))
        {
            Assert.That(Writers, Does.Contain((sql.Module, table)), $"{sql.Module} does not declare that it writes {table}");
        }
    }

    [Test]
    public void A_module_declares_no_table_of_others_that_it_does_not_write()
    {
        var written = SqlConstants.All.SelectMany(sql => Written(sql.Text).Select(table => (sql.Module, table))).ToHashSet();
        var declared = Modules().SelectMany(
            module => module.AlsoWrites.Select(table => (SqlConstants.ModuleOf(module.GetType()), table)));

        Assert.That(declared.Except(written), Is.Empty);
    }

    // By what is said of a message m, a reply r or the newest of a conversation c there. What writes or tells the state itself is named.
    [Test]
    public void Visibility_is_written_in_one_rule()
    {
        var telling = SqlConstants.All.Where(sql =>
            Sight().IsMatch(Rules.Aggregate(sql.Text, (text, rule) => text.Replace(rule, "", StringComparison.Ordinal))))
            .Select(sql => sql.Name);

        Assert.That(telling, Is.EquivalentTo(OwnersOfSight));
    }

    // The seq, the version and the number and time of the newest event, by which clients tell what is older.
    [Test]
    public void The_counters_of_a_conversation_are_written_in_one_place()
    {
        var writers = SqlConstants.All.Where(sql => Counts().IsMatch(sql.Text)).Select(sql => sql.Name.Split('.')[0]).Distinct();

        Assert.That(writers, Is.EqualTo(new[] { nameof(ConversationPart) }));
    }

    // What concerns no order within a conversation is told beside it: what is between two people, that a file is ready, and notifications.
    [Test]
    public void Events_have_their_places_in_a_conversation_from_one_statement()
    {
        var tellers = SqlConstants.All.Where(sql => sql.Text.Contains("INSERT INTO outbox", StringComparison.Ordinal)).ToList();

        Assert.That(
            tellers.Where(sql => sql.Text.Contains("event_no", StringComparison.Ordinal)).Select(sql => sql.Name),
            Is.EqualTo(new[] { "ChangeSet.AddEventsSql" }));
        Assert.That(
            tellers.Select(sql => sql.Name), Is.EquivalentTo(new[]
            {
                "ChangeSet.AddEventsSql", "Outbox.TellSql", "FileKeeping.TellSql", "NotificationMaker.WriteSql",
            }));
    }

    [Test]
    public async Task Every_table_is_one_module_s_own()
    {
        var tables = await TablesAsync("relname <> 'VersionInfo'");

        Assert.That(Owners.Select(owners => owners.Key), Is.EquivalentTo(tables));
        Assert.That(Owners.Where(owners => owners.Count() > 1).Select(owners => owners.Key), Is.Empty);
    }

    // By the columns that say of which message a row is. What is kept is told or forgotten by its age, or is the messages themselves.
    [Test]
    public async Task All_that_hangs_on_messages_goes_with_a_conversation_that_was_deleted()
    {
        var hanging = await TablesAsync(
            """
            relname NOT LIKE 'outbox%' AND relname NOT IN ('feed', 'messages', 'message_keys', 'message_requests') AND 2 = (
                SELECT count(*)
                FROM pg_attribute
                WHERE attrelid = pg_class.oid AND attname IN ('conversation_id', 'seq') AND NOT attisdropped)
            """);
        var purged = SqlConstants.All.Where(sql => Purge().IsMatch(sql.Name))
            .SelectMany(sql => Purged().Matches(sql.Text)).Select(match => match.Groups["table"].Value);

        Assert.That(hanging, Has.Count.GreaterThan(5));
        Assert.That(hanging.Except(purged), Is.Empty);
    }

    [Test]
    public void Message_details_are_found_by_scanning()
    {
        var parts = SqlConstants.Assemblies.SelectMany(assembly => assembly.GetTypes())
            .Where(type => type.IsAssignableTo(typeof(MessageDetail)) && !type.IsAbstract);

        var found = new ServiceCollection().AddApplication()
            .Where(service => service.ServiceType == typeof(MessageDetail)).Select(service => service.ImplementationType);

        Assert.That(found, Is.EquivalentTo(parts).And.Contain(typeof(PinDetail)));
    }

    private async Task<List<string>> TablesAsync(string which)
    {
        await using var command = database.DataSource.CreateCommand(
            $"""
            SELECT relname
            FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition AND {which}
            """);
        await using var reader = await command.ExecuteReaderAsync();
        var tables = new List<string>();
        while (await reader.ReadAsync())
            tables.Add(reader.GetString(0));
        return tables;
    }

    private static string[] OwnersOfSight { get; } =
    [
        "MessagePart.AddHiddenSql", "MembershipWritePart.SaveOwnSql", "MembershipWritePart.ArriveSql", "FeedTail.HiddenSql",
        "MessageEventSource.AroundSql", "MessagesModule.PurgeHiddenSql", "NotificationMaker.PeopleSql",
    ];

    // The range of a page comes first: it holds some of the others.
    private static string[] Rules { get; } =
    [
        SqlConstants.All.Single(sql => sql.Name == "MessageReader.RangeSql").Text, VisibilitySql.Seen, VisibilitySql.ReplySeen,
        VisibilitySql.NewestSeen,
        VisibilitySql.Hidden, VisibilitySql.Reached, VisibilitySql.AnyReached, VisibilitySql.NoticeReached, UnreadSql.Pointer,
    ];

    private static IEnumerable<string> Written(string sql) => Writes().Matches(sql).Select(match => match.Groups["table"].Value).Distinct();

    private static ILookup<string, string> Owners { get; } = Modules().SelectMany(
        module => module.Tables.Select(table => (Table: table, Module: SqlConstants.ModuleOf(module.GetType()))))
        .ToLookup(row => row.Table, row => row.Module);

    private static HashSet<(string Module, string Table)> Writers { get; } =
    [
        .. Modules().SelectMany(
            module => module.Tables.Concat(module.AlsoWrites).Select(table => (SqlConstants.ModuleOf(module.GetType()), table))),
    ];

    private static IReadOnlyList<Module> Modules() => Module.FindIn(SqlConstants.Assemblies);

    [GeneratedRegex(
        @"\b(INSERT INTO|UPDATE|DELETE FROM)\s+(?!SET\b)(?<table>[a-z_]+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Writes();

    [GeneratedRegex(
        @"\bmessage_hidden\b|[<>=+-]\s*(\w+\.)?cleared_seq|cleared_seq\s*[<>=+-]|"
        + @"(greatest|least|coalesce)\s*\([^()]*cleared_seq|\bBETWEEN\b[^,;]*cleared_seq",
        RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Sight();

    [GeneratedRegex(@"^Purges\.|\.Purge\w*Sql$", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Purge();

    [GeneratedRegex(
        @"\bDELETE FROM\s+(?<table>[a-z_]+)\s+WHERE\s+conversation_id\b", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Purged();

    [GeneratedRegex(
        @"\bUPDATE\s+conversations\b((?!\bWHERE\b)(.|\n))*?\b(version|event_no|last_event_at|last_seq)\s*="
        + @"|\bINSERT\s+INTO\s+conversations\b[^)]*\b(version|event_no|last_seq)\b",
        RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Counts();
}
